import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { bundle } from '../../scripts/bundle.ts'
import { folderOf } from '../manifest/folder.ts'

/** As tsc writes modules. */
const files = {
  'package.json': '{ "type": "module" }',
  'index.js': "export { make } from './core/make.js';\nexport { where as place } from './core/place.js';\n",
  'main.js':
    "#!/usr/bin/env node\nimport process from 'node:process';\nconst { run } = await import('./cli/run.js');\nprocess.stdout.write(await run());\n",
  'core/fault.js': 'export class Fault extends Error {\n}\nexport const text = ` import x from y;\n`;\n',
  'core/make.js':
    "import { basename as base } from 'node:path';\nimport { Fault } from './fault.js';\nconst name = 'make';\nexport function make() {\n    return new Fault(base('/a/' + name));\n}\nexport const later = async () => (await import('../later/job.js')).job();\n",
  'core/place.js': "export const where = import.meta.url;\nconst name = 'place';\nexport { name as called } from './name.js';\n",
  'core/name.js': "export const name = 'µ → name';\n",
  'core/types.js': '/** Only types. */\nexport {};\n',
  'cli/run.js':
    "import { Fault } from '../core/fault.js';\nexport async function run() {\n    const { make } = await import('../index.js');\n    const { job } = await import('../later/job.js');\n    return `${make() instanceof Fault} ${await job()}`;\n}\n",
  'later/job.js':
    "import zlib from 'node:zlib';\nimport * as all from '../core/name.js';\nimport { Fault } from '../core/fault.js';\nexport async function* steps() {\n    yield all.name;\n}\nexport async function job() {\n    for await (const step of steps())\n        return `${step} ${typeof zlib.gzipSync} ${new Fault('x').message}`;\n}\n",
}

const options = { entries: ['index.js', 'main.js'], starts: { library: 'index.js', commands: 'cli/run.js' } }

describe('modules that are joined', () => {
  it('say and do what they did, each still once, and lie in fewer files', async () => {
    const folder = folderOf({ ...files })
    const run = (): string => execFileSync(process.execPath, [join(folder, 'main.js')], { encoding: 'utf8' })
    const look = (): string => {
      const code = `const all = await import(${JSON.stringify(pathToFileURL(join(folder, 'index.js')).href)}); console.log(Object.keys(all).toSorted().join(), all.place, all.make().message)`
      return execFileSync(process.execPath, ['--input-type=module', '--eval', code], { encoding: 'utf8' })
    }
    const before = [run(), look()]
    expect(before[0]).toBe('true µ → name function x')
    await bundle({ folder, ...options })
    expect([run(), look()]).toEqual(before)
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
    expect(left.map((path) => path.replaceAll('\\', '/')).toSorted()).toEqual([
      'chunks/commands.js',
      'chunks/later-job.js',
      'chunks/library+commands.js',
      'chunks/library.js',
      'index.js',
      'main.js',
    ])
  })

  it.each([
    [
      'a statement that it does not know',
      { 'core/name.js': 'export default 1;\nexport const name = 1;\n' },
      /core\/name\.js: expected an import or export/,
    ],
    [
      'a text that looks like an import',
      {
        'core/place.js':
          "import { name } from './name.js';\nexport const where = `\nimport { name } from './name.js';\n${name}`;\n",
      },
      /core\/place\.js: expected all imports in a row/,
    ],
    [
      'a text that looks like an export',
      { 'core/name.js': 'export const name = `\nexport const other = 1;\n`;\n' },
      /core\/name\.js: expected the exports name, read name, other/,
    ],
    ['a program that nobody named', { 'core/alone.js': 'console.log(1);\nexport {};\n' }, /nothing imports core\/alone\.js/],
    [
      'an entry that is imported like a module',
      { 'cli/run.js': "import { make } from '../index.js';\nexport const run = make;\n" },
      /index\.js is an entry/,
    ],
    [
      'an import that leads nowhere',
      { 'core/name.js': "import { x } from './gone.js';\nexport const name = x;\n" },
      /expected a module at core\/gone\.js/,
    ],
  ])('are refused where there is %s', async (_, more, message) => {
    await expect(bundle({ folder: folderOf({ ...files, ...more }), ...options })).rejects.toThrow(message)
  })
})
