// Joins the modules that tsc wrote into a few files: Node takes 0.4 ms to find and read each module, and a runtime has 120.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asFile, asScope, isEmpty, type Module, readModule, type Voice } from './bundle/module.ts'

export interface BundleOptions {
  /** The folder that tsc wrote. Its modules are replaced. */
  folder: string
  /** Modules that keep their files, because others import or start them by their paths. */
  entries: string[]
  /** What people wait for, by the name of its chunk: each module that only it needs is in that chunk. */
  starts: Record<string, string>
}

/** Where the chunks go, within the folder. */
const place = 'chunks'

type Modules = ReadonlyMap<string, Module>

/**
 * A module runs in a scope of its own in its chunk, so none needs to be parsed or renamed. What several starts need is in a
 * chunk of its own, and so is what is only loaded later.
 */
export async function bundle({ folder, entries, starts }: BundleOptions): Promise<void> {
  const modules = new Map(scriptsIn(folder).map((path) => [path, readModule(path, readFileSync(join(folder, path), 'utf8'))]))
  for (const path of [...entries, ...Object.values(starts)]) moduleAt(modules, path)
  const chunks = divide(modules, entries, starts)
  for (const path of chunks.keys()) await checkExports(folder, moduleAt(modules, path))
  mkdirSync(join(folder, place))
  for (const chunk of new Set(chunks.values()))
    writeFileSync(join(folder, fileOf(chunk)), writeChunk(chunk, inOrder(modules, [...chunks.keys()]), chunks))
  for (const module of modules.values()) {
    const { path } = module
    if (entries.includes(path)) writeFileSync(join(folder, path), writeEntry(module, chunks))
    else if (chunks.has(path) || isEmpty(module)) rmSync(join(folder, path))
    else throw new Error(`nothing imports ${path}: a program of its own must be named among the entries`)
  }
}

function scriptsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => path.replaceAll(sep, '/'))
    .toSorted()
}

/** The name of each module's chunk. */
function divide(modules: Modules, entries: string[], starts: Record<string, string>): Map<string, string> {
  const loads = [...new Set([...modules.values()].flatMap((module) => module.loads))].filter((path) => !entries.includes(path))
  const reached = (from: string): Set<string> => new Set(inOrder(modules, [from]).map(({ path }) => path))
  const mains = Object.entries(starts).map(([name, path]) => ({ name, reach: reached(path) }))
  const later = [...loads, ...entries].map((path) => ({
    name: path.replace(/\.js$/, '').replaceAll('/', '-'),
    reach: reached(path),
  }))
  const chunks = new Map<string, string>()
  for (const path of modules.keys()) {
    if (entries.includes(path)) continue
    const holds = ({ reach }: { reach: Set<string> }): boolean => reach.has(path)
    const users = mains.some(holds) ? mains.filter(holds) : later.filter(holds)
    if (users.length > 0) chunks.set(path, users.map(({ name }) => name).join('+'))
  }
  return chunks
}

/** These modules and all that they need, each after those that it needs. */
function inOrder(modules: Modules, from: string[]): Module[] {
  const done = new Map<string, Module>()
  const visit = (path: string, trail: string[]): void => {
    if (done.has(path)) return
    if (trail.includes(path)) throw new Error(`expected modules that end somewhere, got the circle ${[...trail, path].join(' → ')}`)
    const module = moduleAt(modules, path)
    for (const need of module.needs) visit(need, [...trail, path])
    done.set(path, module)
  }
  for (const path of from) visit(path, [])
  return [...done.values()]
}

function moduleAt(modules: Modules, path: string): Module {
  const module = modules.get(path)
  if (module === undefined) throw new Error(`expected a module at ${path}, got none`)
  return module
}

/** Against Node's own reading: a text that only looks like an export would be one in the chunk. */
async function checkExports(folder: string, { path, exports }: Module): Promise<void> {
  const namespace = (await import(pathToFileURL(join(folder, path)).href)) as object // a module's namespace
  const real = Object.keys(namespace).toSorted().join(', ')
  const read = exports.toSorted().join(', ')
  if (real !== read) throw new Error(`${path}: expected the exports ${real}, read ${read}`)
}

// ---- writing -----------------------------------------------------------------------------------------------------

function writeChunk(chunk: string, all: Module[], chunks: Map<string, string>): string {
  const own = all.filter(({ path }) => chunks.get(path) === chunk)
  const packages = [...new Set(own.flatMap((module) => module.packages))]
  const scopes = own.map((module) => {
    const voice = voiceOf(module.path, fileOf(chunk), chunks)
    const of = (target: string): string => (packages.includes(target) ? nameOf(target) : voice.of(target))
    return `// ${module.path}\nexport const ${nameOf(module.path)} = ${asScope(module, { ...voice, of })};`
  })
  const lines = packages.map((name) => `import * as ${nameOf(name)} from '${name}';`)
  return [...lines, ...importsOf(own, fileOf(chunk), chunks), ...scopes, ''].join('\n')
}

/** Above it stays what must be the first line of a program. */
function writeEntry(module: Module, chunks: Map<string, string>): string {
  const [, first = '', rest = ''] = /^(#!.*\n)?([\s\S]*)$/.exec(asFile(module, voiceOf(module.path, module.path, chunks))) ?? []
  return first + [...importsOf([module], module.path, chunks), rest].join('\n')
}

/** What these modules need of the chunks that others are in. */
function importsOf(modules: Module[], file: string, chunks: Map<string, string>): string[] {
  const needs = [...new Set(modules.flatMap((module) => module.needs))]
  const others = Map.groupBy(needs, (path) => {
    const chunk = chunks.get(path)
    if (chunk === undefined) throw new Error(`${path} is an entry: it can be imported dynamically only`)
    return chunk
  })
  return [...others]
    .filter(([chunk]) => fileOf(chunk) !== file)
    .map(([chunk, paths]) => `import { ${paths.map(nameOf).join(', ')} } from '${pathTo(file, fileOf(chunk))}';`)
}

function voiceOf(path: string, file: string, chunks: Map<string, string>): Voice {
  return {
    of: nameOf,
    load: (target) => {
      const chunk = chunks.get(target)
      if (chunk === undefined) return `import('${pathTo(file, target)}')`
      return `import('${pathTo(file, fileOf(chunk))}').then((chunk) => chunk.${nameOf(target)})`
    },
    url: path === file ? 'import.meta.url' : `new URL('${pathTo(file, path)}', import.meta.url).href`,
  }
}

function fileOf(chunk: string): string {
  return `${place}/${chunk}.js`
}

function pathTo(file: string, target: string): string {
  const path = posix.relative(posix.dirname(file), target)
  return path.startsWith('.') ? path : `./${path}`
}

/** `core/error.js` → `$core_error_js`; it can't be the name of anything in a module. */
function nameOf(target: string): string {
  return `$${target.replace(/\W/g, (sign) => (sign === '/' || sign === '.' ? '_' : `$${sign.charCodeAt(0)}`))}`
}
