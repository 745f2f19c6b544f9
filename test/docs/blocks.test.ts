import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { variableName } from '../../src/client/options.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { checkManifest } from '../../src/manifest/check.ts'
import { overlay } from '../../src/manifest/extend.ts'
import { parseManifest, readManifest } from '../../src/manifest/load.ts'
import { checkModel } from '../../src/manifest/model.ts'
import { type Block, pages, root, titleOf } from './pages.ts'
import { spokenFor, startUpstream } from './upstream.ts'

/**
 * Every block of the pages does what it says. What stands behind the language of a fence:
 *
 *     yaml                  a manifest (`id: …`), or a part of one, which is laid over a provider
 *     yaml acme.yaml        a file, for the commands below it; `+` before the name lays the block over that file
 *     yaml models/a.yaml    the manifest of a model
 *     json schema.json      a file
 *     ts                    a module; `mw` is a runtime if the block makes none. `no-run`: only its types are checked
 *     sh, console           commands; a console shows what they print, where `…` stands for anything
 *
 * No key and no network: addresses come from the environment, and lead to `upstream.ts`.
 */
const desk = mkdtempSync(join(tmpdir(), 'modelwire-docs-'))
let upstream: Awaited<ReturnType<typeof startUpstream>>
beforeAll(async () => void (upstream = await startUpstream()))
afterAll(async () => {
  await upstream.close()
  rmSync(desk, { recursive: true, force: true })
})

const execute = promisify(execFile)
const cli = join(root, 'src/cli/main.ts')

function environment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { PATH: `${join(desk, 'bin')}:${process.env.PATH ?? ''}`, HOME: desk, NO_COLOR: '1' }
  for (const id of spokenFor) {
    env[`MODELWIRE_${variableName(id)}_BASE_URL`] = `${upstream.url}/${id}`
    env[`${variableName(id)}_API_KEY`] = 'sk-of-the-docs'
  }
  return env
}

// ---- the desk: a package, two commands, a folder a page ----------------------------------------------------------

function write(name: string, text: string, mode?: number): string {
  const file = join(desk, name)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, text, mode === undefined ? {} : { mode })
  return file
}

write('node_modules/modelwire/package.json', '{ "name": "modelwire", "type": "module", "exports": "./index.js" }')
write('node_modules/modelwire/index.js', `export * from ${JSON.stringify(join(root, 'src/index.ts'))}\n`)
symlinkSync(join(root, 'node_modules/@types'), join(desk, 'node_modules/@types'))
write('package.json', '{ "type": "module" }')
write('bin/modelwire', `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`, 0o755)
write('bin/npx', `#!/bin/sh\n[ "$1" = node ] && shift\nshift\nexec "${process.execPath}" "${cli}" "$@"\n`, 0o755)

const folderOf = ({ page }: Block): string => page.replace(/\W/g, '_')
const blocks = pages.flatMap((page) => page.blocks)
for (const block of blocks) mkdirSync(join(desk, folderOf(block)), { recursive: true })

// ---- types: all blocks in one run --------------------------------------------------------------------------------

const prelude = "import { createRuntime } from 'modelwire'\nconst mw = createRuntime()\n"
const modules = new Map(
  blocks
    .filter(({ language }) => language === 'ts')
    .map((block) => {
      const before = block.text.includes('createRuntime(') ? '' : prelude
      return [
        block,
        {
          file: write(`${folderOf(block)}/line-${block.line}.ts`, `${before}${block.text}export {}\n`),
          shift: before.split('\n').length - 1,
        },
      ] as const
    }),
)

it(`the types of ${modules.size} blocks are right`, { timeout: 60_000 }, async () => {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      rootDir: '/',
      paths: { modelwire: [join(root, 'src/index.ts')] },
      allowImportingTsExtensions: true,
    },
    include: ['**/line-*.ts'],
    exclude: [],
  }
  write('tsconfig.json', JSON.stringify(config))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const printed = await execute(process.execPath, [tsc, '-p', desk, '--pretty', 'false']).then(
    () => '',
    (failure: { stdout: string }) => failure.stdout,
  )
  expect(named(printed)).toBe('')
})

/** Faults of the blocks, with the place in the page; those of our sources are told by `npm run types`. */
function named(printed: string): string {
  const placed = printed.replace(/^(\S+)line-(\d+)\.ts\((\d+),(\d+)\)/gm, (whole, folder: string, line: string, row: string) => {
    const found = [...modules].find(([block]) => folder.includes(folderOf(block)) && block.line === Number(line))
    return found === undefined ? whole : `${found[0].page}:${found[0].line + Number(row) - found[1].shift}`
  })
  return placed
    .split('\n')
    .filter((line) => pages.some(({ name }) => line.startsWith(`${name}:`)))
    .join('\n')
}

// ---- one test a block, in the order of the page ------------------------------------------------------------------

/** What is wrong with a block; nothing if it does what it says. */
type Check = (block: Block) => string[] | Promise<string[]>

for (const page of pages) {
  const checks = page.blocks.flatMap((block) => {
    const check = checkOf(block)
    return check === undefined ? [] : [{ title: titleOf(block), block, check }]
  })
  describe.runIf(checks.length > 0)(`${page.name}`, () => {
    it.each(checks)('$title', { timeout: 30_000 }, async ({ block, check }) => expect(await check(block)).toEqual([]))
  })
}

it('the tutorial ends with the manifest of the README', () => {
  const [built, shown] = ['docs_manifest_md', 'README_md'].map((page) => readManifest(join(desk, page, 'parley.yaml')).data)
  expect(built).toEqual(shown)
})

function checkOf({ language, words }: Block): Check | undefined {
  if (words.includes('no-run')) return undefined
  switch (language) {
    case 'yaml':
      return checkYaml
    case 'json':
      return checkJson
    case 'ts':
      return runModule
    case 'sh':
      return runCommands
    case 'console':
      return runSession
    case 'text':
    case 'http':
      return undefined
    default:
      return () => [`nobody checks fences of the language ${language}`]
  }
}

function checkJson(block: Block): string[] {
  JSON.parse(block.text)
  const [name] = block.words
  if (name !== undefined) write(`${folderOf(block)}/${name}`, block.text)
  return []
}

function checkYaml(block: Block): string[] {
  const file = saveYaml(block)
  const catalog = createCatalog({ paths: [bundledProtocols, join(desk, folderOf(block))], env: {}, check: false })
  const problems = block.words[0]?.startsWith('models/') === true ? checkModel(file) : checkManifest(file, catalog)
  return problems.map(({ where, message, hint }) => `${where?.line ?? 0}:${where?.column ?? 0} ${message} ${hint ?? ''}`)
}

function saveYaml(block: Block): string {
  const [first, second] = block.words
  const folder = folderOf(block)
  if (first === '+' && second !== undefined) {
    const file = join(desk, folder, second)
    return write(`${folder}/${second}`, stringify(overlay(readManifest(file).data, parseManifest(block.text, second).data)))
  }
  if (first !== undefined) return write(`${folder}/${first}`, block.text)
  const { data } = parseManifest(block.text, titleOf(block))
  if (typeof data.id === 'string') return write(`${folder}/parts/${data.id}.yaml`, block.text)
  const whole = overlay({ id: `part-${block.line}`, extends: 'openai-chat', base: 'https://api.example.com/v1' }, data)
  return write(`${folder}/parts/part-${block.line}.yaml`, stringify(whole))
}

async function runModule(block: Block): Promise<string[]> {
  const { status, text } = await shell(block, `"${process.execPath}" "${modules.get(block)?.file ?? ''}"`)
  if (status !== 0) return [text]
  const lines = [...block.text.matchAll(/\/\/ prints: (.+)$/gm)].map(([, line = '']) => line)
  return lines.filter((line) => !pattern(line).test(text)).map((line) => `it should print ${line}, and printed ${text}`)
}

/** Only our own command: what installs, clones or exports is the reader's. */
async function runCommands(block: Block): Promise<string[]> {
  const faults: string[] = []
  for (const line of commandsOf(block.text)) {
    if (!/(^|\s)(npx )?modelwire |^npx node src\/cli\/main\.ts /.test(line)) continue
    const { status, text } = await shell(block, line)
    if (status !== 0) faults.push(`${line}\n${text}`)
  }
  return faults
}

async function runSession(block: Block): Promise<string[]> {
  const faults: string[] = []
  for (const part of block.text.split(/^\$ /m).slice(1)) {
    const [command = '', ...rest] = part.replaceAll('\\\n', ' ').split('\n')
    const shown = plain((await shell(block, command)).text)
    const expected = rest.join('\n').trim()
    if (!new RegExp(`^${pattern(expected).source}$`).test(shown)) faults.push(`${command}\n${shown}`)
  }
  return faults
}

function commandsOf(text: string): string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
}

async function shell(block: Block, command: string): Promise<{ status: number; text: string }> {
  const env = environment()
  // `explain` calls nobody, so it shows the true address.
  if (/modelwire explain/.test(command)) for (const name of Object.keys(env)) if (name.endsWith('_BASE_URL')) delete env[name]
  const running = execute('bash', ['-c', `{ ${command} ; } 2>&1 < /dev/null`], {
    cwd: join(desk, folderOf(block)),
    env,
    timeout: 25_000,
  })
  return running.then(
    ({ stdout }) => ({ status: 0, text: stdout }),
    (failure: { code: number; stdout: string }) => ({ status: failure.code, text: failure.stdout }),
  )
}

/** Without spaces at the ends of lines. */
function plain(text: string): string {
  return text.replace(/[ \t]+$/gm, '').trim()
}

/** `…` stands for anything, and runs of spaces for each other. */
function pattern(text: string): RegExp {
  const escaped = text.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(escaped.replace(/[ ]{2,}/g, ' +').replaceAll('…', '[\\s\\S]*?'))
}
