// Builds dist/ from src/. The old folder goes first, so that nothing of a deleted module is published.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InputOptions, type OutputOptions, rolldown, type RolldownOutput } from 'rolldown'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import { writeCheck } from '../src/manifest/shape.ts'
import { dump } from '../src/manifest/snapshot.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist/`

async function bundle(input: InputOptions, options: OutputOptions): Promise<RolldownOutput['output']> {
  const made = await rolldown({ platform: 'node', ...input })
  const { output } = await made.write(options)
  await made.close()
  return output
}

rmSync(dist, { recursive: true, force: true })

// The types, and whether they are right.
const tsc = [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`, '--emitDeclarationOnly']
execFileSync(process.execPath, tsc, { stdio: 'inherit' })

// The code in few files, for each costs Node half a millisecond. They lie as deep as those of src, so that addresses
// relative to a module stay right; dependencies stay outside. In one chunk is what every user needs: cut along the late
// imports of the command, it would be a dozen.
const library = { name: 'modelwire', test: /[\\/]src[\\/](?!cli|gateway|transport)/ }
const chunks = await bundle(
  {
    input: { index: `${root}src/index.ts`, main: `${root}src/cli/main.ts` },
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
  },
  {
    dir: `${dist}lib`,
    format: 'esm',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [library] },
  },
)
const heavy = chunks
  .flatMap((chunk) => (chunk.type === 'chunk' && chunk.name === library.name ? chunk.imports : []))
  .filter((name) => !/^(node:.*|eventsource-parser)$/.test(name) && !chunks.some(({ fileName }) => fileName === name))
if (heavy.length > 0) throw new Error(`${heavy.join(', ')} would load with the package: import it where it is first used`)
writeFileSync(`${dist}index.js`, "export * from './lib/index.js'\n")
writeFileSync(`${dist}cli/main.js`, "#!/usr/bin/env node\nimport '../lib/main.js'\n")
chmodSync(`${dist}cli/main.js`, 0o755)

// What a process would else work out anew at each start: the bundled manifests, parsed, and the check of those of users.
mkdirSync(`${dist}snapshots`)
const catalog = createCatalog({ paths: [bundledProtocols] })
for (const id of catalog.ids()) {
  const source = catalog.find(id)
  if (source) writeFileSync(`${dist}snapshots/${id}.json`, JSON.stringify(dump(source)))
}
writeFileSync(`${dist}check.cjs`, writeCheck())

// The parser for the manifests of users, in one file instead of seventy; the licence of a copy goes with it.
const yaml = `${root}node_modules/yaml/`
const licence = readFileSync(`${yaml}LICENSE`, 'utf8').trim()
await bundle({ input: `${yaml}dist/index.js` }, { file: `${dist}yaml.cjs`, format: 'cjs', banner: `/*! yaml\n\n${licence}\n*/` })
