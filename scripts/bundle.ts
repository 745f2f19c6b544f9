// Joins the modules of src/ into a few files: Node takes 0.4 ms to find and read each module, and a runtime has 120.
import { isAbsolute, posix, relative, sep } from 'node:path'
import { build, type Plugin } from 'rolldown'

/** Modules that others import or start by their paths. So do those keep their paths that are loaded by `import()`. */
const entries = ['index', 'cli/main', 'services/guardian']

/** What several of these files need. Without the groups each set of those that need it would be a file of its own. */
const groups = [
  { name: 'suggest', test: /src[\\/]manifest[\\/]suggest/, priority: 1 }, // all of the library that each command needs
  { name: 'screen', test: /src[\\/]cli[\\/](?!version)/, minShareCount: 2 }, // `--version` doesn't wait for it
  { name: 'common', test: /src[\\/](?!cli)/, tags: ['$initial' as const], minShareCount: 2 },
]

export async function bundle(source: string, folder: string): Promise<void> {
  const pathOf = (id: string): string => relative(source, id).replaceAll(sep, '/').replace(/\.ts$/, '.js')
  await build({
    input: Object.fromEntries(entries.map((name) => [name, `${source}${name}.ts`])),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id), // packages and Node's own
    transform: { target: 'es2024' },
    plugins: [places(pathOf)],
    output: {
      dir: folder,
      minifyInternalExports: false,
      codeSplitting: { groups },
      chunkFileNames: ({ facadeModuleId: id }) => (id ? pathOf(id) : 'chunks/[name].js'),
    },
  })
}

/** Modules find protocols/, schemas/ and more by their own address: each keeps the one that it would have by itself, in whatever file it is. */
function places(pathOf: (id: string) => string): Plugin {
  const dist = '@dist/' // the way there is known once the files are
  return {
    name: 'places',
    transform: {
      filter: { code: 'import.meta.url' },
      handler: (code, id) => code.replaceAll('import.meta.url', `new URL('${dist}${pathOf(id)}', import.meta.url).href`),
    },
    renderChunk: (code, { fileName }) => code.replaceAll(dist, `${posix.relative(posix.dirname(fileName), '') || '.'}/`),
  }
}
