import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { bundle } from '../../scripts/bundle.ts'
import * as library from '../../src/index.ts'
import { writeBuilt } from '../../src/manifest/built.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { folderOf } from '../manifest/folder.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
let folder = ''

beforeEach(async () => {
  folder = realpathSync(folderOf({}))
  copyFileSync(`${root}package.json`, join(folder, 'package.json'))
  for (const name of ['models', 'node_modules', 'protocols', 'schemas']) symlinkSync(root + name, join(folder, name), 'junction')
  await bundle(`${root}src/`, join(folder, 'dist'))
})

/** What this prints in a Node of its own, once it has run the code; `seen` is whatever was loaded until then. */
function run(code: string): unknown {
  const watch = `import { registerHooks } from 'node:module'
    const seen = []
    registerHooks({ resolve(name, context, next) { const found = next(name, context); seen.push(found.url); return found } })`
  const print = `process.on('exit', () => console.log('\\n' + JSON.stringify({ seen, out })))`
  const args = ['--input-type=module', '--eval', `${watch}\nlet out\n${print}\n${code}`]
  const text = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return JSON.parse(text.trim().split('\n').at(-1) ?? '')
}

function built(path: string): string {
  return new URL(path, pathToFileURL(join(folder, 'dist/'))).href
}

/** All but Node's own, ours by their paths in dist/. */
function loaded(result: unknown): string[] {
  const { seen } = result as { seen: string[] } // what `run` prints
  return [...new Set(seen)].filter((url) => !url.startsWith('node:')).map((url) => url.replace(built(''), ''))
}

function modelwire(...args: string[]): string {
  return execFileSync(process.execPath, [join(folder, 'dist/cli/main.js'), ...args], { cwd: folder, encoding: 'utf8' })
}

describe('dist', () => {
  it('has what others import or start, and the library exports what it is written to', () => {
    expect(run(`out = Object.keys(await import('${built('index.js')}'))`)).toMatchObject({ out: Object.keys(library).toSorted() })
    expect(readFileSync(join(folder, 'dist/cli/main.js'), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
    expect(existsSync(join(folder, 'dist/services/guardian.js'))).toBe(true)
  })

  it('loads a few files and no package when it is imported, and next to nothing for --version', () => {
    expect(loaded(run(`await import('${built('index.js')}')`)).toSorted()).toEqual([
      'chunks/common.js',
      'chunks/suggest.js',
      'index.js',
    ])
    const version = run(`process.argv = ['node', 'modelwire', '--version']\nawait import('${built('cli/main.js')}')`)
    expect(loaded(version)).toEqual(['cli/main.js', 'cli/version.js', 'chunks/version.js'])
    const help = loaded(run(`process.argv = ['node', 'modelwire', '--help']\nawait import('${built('cli/main.js')}')`))
    expect(help).toContain('cli/program.js')
    expect(help).not.toContain('chunks/common.js')
  })

  it('finds our other files from each of its own', () => {
    writeBuilt(join(folder, 'dist/manifests'), bundledProtocols, createCatalog({ paths: [bundledProtocols] }))
    const explain = `const { createRuntime } = await import('${built('index.js')}')
      out = createRuntime().explain({ model: 'openai/m', messages: [{ role: 'user', content: 'Hello' }] }).fields.length`
    const explained = run(explain)
    expect(explained).toMatchObject({ out: expect.any(Number) })
    expect(loaded(explained).filter((url) => url.includes('/yaml/'))).toEqual([]) // dist/manifests was found
    expect(modelwire('models', 'show', 'pocket')).toMatch(/^file +models.pocket\.gguf$/m)
    expect(modelwire('validate')).toMatch(/no mistakes in \d+ manifests/)
    expect(modelwire('--version').trim()).toBe(
      (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version,
    )
  })

  it('gives each module the address that it would have by itself', () => {
    const files = readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
    const places = files.flatMap((path) => {
      const text = readFileSync(join(folder, 'dist', path), 'utf8')
      const uses = text.split('import.meta').slice(0, -1) // each ends with what leads to the address
      return uses.map((use) => join(dirname(path), /new URL\("([^"]+)\.js", $/.exec(use)?.[1] ?? 'unknown'))
    })
    expect(places.length).toBeGreaterThan(5)
    expect(places.filter((place) => !existsSync(`${root}src/${place}.ts`))).toEqual([])
  })
})
