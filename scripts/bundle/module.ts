import { posix } from 'node:path'

/** A module as tsc wrote it, taken apart at its imports and exports. */
export interface Module {
  /** Within the folder, with slashes. */
  path: string
  text: string
  /** The modules of ours that must have run before it. */
  needs: string[]
  /** Those that it loads later, by `import()`. */
  loads: string[]
  /** What it imports of others, as it is written: `node:fs`, `undici`. */
  packages: string[]
  /** The names that it exports. */
  exports: string[]
}

/** How a module says things once it is joined with others. */
export interface Voice {
  /** The expression that holds what another module exports. */
  of(target: string): string
  /** The promise of what another module exports. */
  load(path: string): string
  /** The address that the module had as a file. */
  url: string
}

const imported = /^import (?:(\w+)|\* as (\w+)|\{([^}]*)\}) from '([^']+)';$/gm
const handedOn = /^export \{([^}]*)\} from '([^']+)';$/gm
const declared = /^export (?=(?:async function\*?|function\*?|class|const) (\w+))/gm
const loaded = /\bimport\('(\.[^']+)'\)/g
const nothing = /^export \{\};$/gm

/** Refuses what it can't join, and what it could mistake: we write no such statement. */
export function readModule(path: string, text: string): Module {
  const rest = [imported, handedOn, declared, nothing].reduce((left, form) => left.replace(form, ''), text)
  const strange = /^(?:import|export)\b(?!\.|\().*/m.exec(rest)?.[0]
  if (strange !== undefined) throw new Error(`${path}: expected an import or export that scripts/bundle knows, got: ${strange}`)
  // One by itself is a line of some text.
  const rows = [...text.matchAll(imported)].map(({ index }) => index)
  const between = bare(
    text
      .slice(rows[0] ?? 0, rows.at(-1) ?? 0)
      .replace(imported, '')
      .replace(handedOn, ''),
  )
  if (between !== '') throw new Error(`${path}: expected all imports in a row, got between them: ${between.slice(0, 80)}`)
  const sources = [...text.matchAll(imported), ...text.matchAll(handedOn)].map((match) => match.at(-1) ?? '')
  const isOurs = (source: string): boolean => source.startsWith('.')
  return {
    path,
    text,
    needs: unique(sources.filter(isOurs).map((source) => resolve(path, source))),
    loads: unique([...text.matchAll(loaded)].map(([, source = '']) => resolve(path, source))),
    packages: unique(sources.filter((source) => !isOurs(source))),
    exports: [
      ...[...text.matchAll(declared)].map(([, name = '']) => name),
      ...[...text.matchAll(handedOn)].flatMap(([, names = '']) => pairs(names).map(([, name]) => name)),
    ],
  }
}

/** Whether there were only types in it. */
export function isEmpty({ text }: Module): boolean {
  return bare(text.replace(nothing, '')) === ''
}

/** What is left without comments. */
function bare(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim()
}

/** The module as an expression that runs it in a scope of its own and gives what it exports. */
export function asScope({ path, text, exports }: Module, voice: Voice): string {
  const bound = text
    .replace(imported, (_, whole?: string, all?: string, names = '', source = '') => {
      const value = voice.of(resolve(path, source))
      if (all !== undefined) return `const ${all} = ${value};`
      return `const { ${whole === undefined ? bindings(names) : `default: ${whole}`} } = ${value};`
    })
    .replace(handedOn, (_, names: string, source: string) => `const { ${bindings(names)} } = ${voice.of(resolve(path, source))};`)
    .replace(declared, '')
    .replace(nothing, '')
  return `(() => {\n${spoken(bound, path, voice)}\nreturn { ${exports.join(', ')} };\n})()`
}

/** The module as a file that stays what it is to those who import it; only where it finds the others is new. */
export function asFile({ path, text }: Module, voice: Voice): string {
  const bound = text
    .replace(imported, (line: string, _one, _all, names = '', source = '') =>
      source.startsWith('.') ? `const { ${bindings(names)} } = ${voice.of(resolve(path, source))};` : line,
    )
    .replace(
      handedOn,
      (_, names: string, source: string) => `export const { ${bindings(names)} } = ${voice.of(resolve(path, source))};`,
    )
  return spoken(bound, path, voice)
}

function spoken(text: string, path: string, voice: Voice): string {
  return text.replace(loaded, (_, source: string) => voice.load(resolve(path, source))).replaceAll('import.meta.url', voice.url)
}

/** `a, b as c` → `a, b: c`. */
function bindings(names: string): string {
  return pairs(names)
    .map(([from, to]) => (from === to ? from : `${from}: ${to}`))
    .join(', ')
}

function pairs(names: string): [string, string][] {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const [from = '', to = from] = name.split(' as ')
      return [from, to]
    })
}

/** Ours by its path within the folder, a package by its name. */
function resolve(path: string, source: string): string {
  return source.startsWith('.') ? posix.join(posix.dirname(path), source) : source
}

function unique(names: string[]): string[] {
  return [...new Set(names)]
}
