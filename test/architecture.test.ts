import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { parseAllDocuments, visit } from 'yaml'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each floor may import, beside its own files. The linter's overrides must say the same. */
const floors: Record<string, string[]> = {
  core: [],
  lang: ['core'],
  wire: ['lang', 'core'],
  gguf: ['core'],
  pipeline: ['lang', 'wire', 'core'],
  transport: ['wire', 'gguf', 'core'],
  resilience: ['wire', 'core'],
  manifest: ['pipeline', 'resilience', 'wire', 'lang', 'core'],
  models: ['manifest', 'transport', 'gguf', 'wire', 'lang', 'core'],
  services: ['manifest', 'transport', 'wire', 'lang', 'core'],
  tasks: ['manifest', 'lang', 'core'],
  client: ['manifest', 'models', 'services', 'tasks', 'transport', 'resilience', 'pipeline', 'wire', 'lang', 'gguf', 'core'],
  index: ['client', 'core'],
  cli: ['index', 'manifest', 'pipeline'],
  gateway: ['index', 'manifest', 'pipeline'],
}
const names = Object.keys(floors)
const mayImport = (from: string, to: string): boolean => from === to || floors[from]?.includes(to) === true

interface Finding {
  rule: string
  file: string
}

/** Runs the project's linter, with the project's rules, over the `src` of a folder. */
function lint(folder: string): Finding[] {
  const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '-c', '.oxlintrc.json', '--format', 'json', 'src']
  const done = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20 })
  const report: { diagnostics: { code: string; filename: string }[] } = JSON.parse(done.stdout)
  return report.diagnostics.map(({ code, filename }) => ({ rule: /\((.+)\)/.exec(code)?.[1] ?? code, file: filename }))
}

const scratch: string[] = []
afterAll(() => scratch.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A throw-away project with our lint rules and the given files. */
function project(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-floors-'))
  scratch.push(folder)
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const sources = globSync('src/**/*.ts', { cwd: root }).toSorted()
const floorOf = (file: string): string => relative('src', file).split(/[/\\]/)[0]?.replace(/\.ts$/, '') ?? ''

describe('floors', () => {
  it('every folder of src has a floor', () => {
    const folders = readdirSync(join(root, 'src')).map((name) => name.replace(/\.ts$/, ''))
    expect(folders.filter((name) => !names.includes(name))).toEqual([])
  })

  it('the linter refuses each import of a floor that is not below, and no other', () => {
    const files: Record<string, string> = {}
    const expected: string[] = []
    for (const from of names.filter((name) => name !== 'index')) {
      for (const to of names.filter((name) => name !== from)) {
        const target = to === 'index' ? 'index.ts' : `${to}/thing.ts`
        for (const [file, up] of [
          [`src/${from}/${to}.ts`, '../'],
          [`src/${from}/deep/${to}.ts`, '../../'],
        ] as const) {
          files[file] = `export { thing } from '${up}${target}'\n`
          if (!mayImport(from, to)) expected.push(file)
        }
      }
    }
    const found = lint(project(files)).filter(({ rule }) => rule === 'no-restricted-imports')
    expect(found.map(({ file }) => file).toSorted()).toEqual(expected.toSorted())
  })

  it.each(names.filter((name) => name !== 'index'))('the linter holds index.ts to its floors: %s', (to) => {
    const found = lint(project({ 'src/index.ts': `export { thing } from './${to}/thing.ts'\n` }))
    expect(found.some(({ rule }) => rule === 'no-restricted-imports')).toBe(!mayImport('index', to))
  })

  it.each([
    ['no-cycle', { 'src/core/a.ts': "export { b as c } from './b.ts'\n", 'src/core/b.ts': "export { c as b } from './a.ts'\n" }],
    ['no-eval', { 'src/core/a.ts': "export const two: unknown = eval('1 + 1')\n" }],
    ['no-new-func', { 'src/core/a.ts': "export const two: unknown = new Function('return 2')\n" }],
    ['no-explicit-any', { 'src/core/a.ts': 'export const two: any = 2\n' }],
    ['no-default-export', { 'src/core/a.ts': 'export default 2\n' }],
  ])('the linter refuses what breaks %s', (rule, files) => {
    expect(lint(project(files as Record<string, string>)).map((finding) => finding.rule)).toContain(rule)
  })

  it('src keeps to its floors, without circles, eval or any', () => {
    const kept = new Set(['no-restricted-imports', 'no-cycle', 'no-eval', 'no-implied-eval', 'no-new-func', 'no-explicit-any'])
    expect(lint(root).filter(({ rule }) => kept.has(rule))).toEqual([])
  })

  it('an import() keeps to the floors too', () => {
    const wrong: string[] = []
    for (const file of sources) {
      for (const [, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(/\bimport\(\s*['"`](\.[^'"`]+)/g)) {
        const to = floorOf(join(dirname(file), target))
        if (!mayImport(floorOf(file), to)) wrong.push(`${file} imports ${to}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('providers are data', () => {
  const ids = new Set<string>()
  const hosts = new Set<string>()
  for (const file of globSync('protocols/{dialects,providers,ingress}/**/*.yaml', { cwd: root })) {
    for (const document of parseAllDocuments(readFileSync(join(root, file), 'utf8'))) {
      if (!('contents' in document)) continue
      const id: unknown = document.get('id')
      // An engine in this process is ours, and so is its name: the manifest that shows it is called the same.
      if (typeof id === 'string' && document.get('transport') !== id) ids.add(id)
      visit(document, {
        Scalar(_, { value }) {
          // of a host with variables, the part that stands still: https://{resource}.example.com → example.com
          const host = typeof value === 'string' ? /^(?:https?|wss?):\/\/([^/?#]+)/.exec(value)?.[1] : undefined
          const still = host?.replace(/^.*[}\]]\.?/, '').replace(/:\d+$/, '')
          if (still !== undefined && still.includes('.') && !still.startsWith('127.')) hosts.add(still)
        },
      })
    }
  }

  it('protocols name providers and hosts to look for', () => {
    expect(ids.size).toBeGreaterThan(10)
    expect(hosts.size).toBeGreaterThan(10)
  })

  it('no provider id and no provider host occurs under src, in code, text or comment', () => {
    const words = [...ids, ...hosts]
    // What is imported is called as its makers call it, who may be a provider too.
    const { dependencies, peerDependencies }: Record<string, object> = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const packages = Object.keys({ ...dependencies, ...peerDependencies })
    const pattern = words.map((word) => word.replaceAll(/\W/g, String.raw`\$&`)).join('|') || '(?!)'
    const found: string[] = []
    for (const file of sources) {
      for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
        for (const [word] of packages
          .reduce((rest, name) => rest.replaceAll(`'${name}'`, ''), line)
          .matchAll(new RegExp(`(?<![a-z0-9])(?:${pattern})(?![a-z0-9])`, 'gi'))) {
          found.push(`${file}:${index + 1}: ${word}`)
        }
      }
    }
    expect(found).toEqual([])
  })
})
