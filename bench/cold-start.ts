/** What it takes to be ready: import, make a client, and for Modelwire the first manifests and the command line. `npm run bench:cold-start`. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { titleOf } from './clients.ts'
import { coldTable, providerSentence, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { ColdStartResult, Missing } from './results.ts'
import { median } from './statistics.ts'
import { missingLines, originLine } from './words.ts'

/** What a process says of itself on its last line. */
interface Took {
  wallMs: number
  cpuMs: number
  firstMs?: number
  firstCpuMs?: number
  secondMs?: number
}
interface Start {
  what: string
  client: string
  /** JavaScript to run before the clock is read. */
  code: string
}

const options = readOptions({ full: 31, quick: 3 })
const here = fileURLToPath(new URL('.', import.meta.url))
const entry = new URL('../dist/index.js', import.meta.url)

const runtime = `const { createRuntime } = await import('${entry.href}')
const mw = createRuntime({ providers: { openai: { apiKey: 'k', wire: 'chat' }, anthropic: { apiKey: 'k' } } })`

/** A command to its end, in the process that is measured. */
function command(...args: string[]): Start {
  const code = `process.argv = ['node', 'modelwire', ...${JSON.stringify(args)}]\nawait import('${new URL('cli/main.js', entry).href}')`
  return { what: ['modelwire', ...args].join(' '), client: 'modelwire', code }
}

const bare: Start = { what: 'bare Node', client: 'by-hand', code: '' }
const starts: Start[] = [
  bare,
  { what: 'import modelwire', client: 'modelwire', code: `await import('${entry.href}')` },
  { what: 'import modelwire, createRuntime', client: 'modelwire', code: runtime },
  command('--version'),
  command('--help'),
  command('validate', 'openai'),
  { what: 'import undici', client: 'by-hand', code: `await import('undici')` },
  { what: 'import openai, new OpenAI', client: 'openai', code: `new (await import('openai')).default({ apiKey: 'k' })` },
  {
    what: 'import ai and @ai-sdk/openai, createOpenAI',
    client: 'ai-sdk',
    code: `await import('ai'); (await import('@ai-sdk/openai')).createOpenAI({ apiKey: 'k' })('gpt-4o')`,
  },
]

const clock = `const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ wallMs: performance.now(), cpuMs: (user + system) / 1000, ...took }))`

/** The first explain reads and compiles the manifests of a provider, and undici isn't needed for it. */
const explain = `${runtime}
const explain = async (model) => {
  const [before, spent] = [performance.now(), process.cpuUsage()]
  await mw.explain({ model, messages: [{ role: 'user', content: 'Hello' }] })
  const { user, system } = process.cpuUsage(spent)
  return { ms: performance.now() - before, cpuMs: (user + system) / 1000 }
}
const [first, second] = [await explain('openai/gpt-4o'), await explain('anthropic/claude-sonnet-4-6')]
took = { firstMs: first.ms, firstCpuMs: first.cpuMs, secondMs: second.ms }`

/** A fresh Node on plain JavaScript, so that no type stripping is in it; packages are found from this folder. */
async function spawn(code: string): Promise<Took> {
  const args = ['--input-type=module', '--eval', `let took = {}\n${code}\n${clock}\nprocess.exit(0)`]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: here,
    timeout: 60_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Took // the line that `clock` prints
}

async function findMissing(): Promise<Missing[]> {
  const missing: Missing[] = []
  for (const { client, code } of starts) {
    if (missing.some((other) => other.client === client)) continue
    if (client === 'modelwire' && !existsSync(entry)) {
      missing.push({ client, reason: 'not there yet: dist/index.js is missing; npm run build makes it' })
      continue
    }
    try {
      await spawn(code) // also warms the disk's cache
    } catch (error) {
      const reason = /ERR_MODULE_NOT_FOUND/.test(String(error)) ? 'not installed; npm ci --prefix bench does it' : String(error)
      missing.push({ client, reason })
    }
  }
  return missing
}

async function measure(): Promise<ColdStartResult> {
  const missing = await findMissing()
  const present = starts.filter(({ client }) => !missing.some((other) => other.client === client))
  const withUs = present.some(({ client }) => client === 'modelwire')
  const took = new Map<Start, Took[]>(present.map((one) => [one, []]))
  const loads: Took[] = []
  for (let round = 0; round < options.rounds; round++) {
    progress(`round ${round + 1} of ${options.rounds}`)
    for (const [one, all] of took) all.push(await spawn(one.code))
    if (withUs) loads.push(await spawn(explain))
  }
  progress('')
  const middle = (all: Took[] | undefined, pick: (one: Took) => number | undefined) =>
    median((all ?? []).map((one) => pick(one) ?? NaN))
  const floor = { wallMs: middle(took.get(bare), (one) => one.wallMs), cpuMs: middle(took.get(bare), (one) => one.cpuMs) }
  return {
    ...origin(),
    rounds: options.rounds,
    bare: floor,
    rows: present
      .filter((one) => one !== bare)
      .map((one) => ({
        what: one.what,
        wallMs: middle(took.get(one), ({ wallMs }) => wallMs) - floor.wallMs,
        cpuMs: middle(took.get(one), ({ cpuMs }) => cpuMs) - floor.cpuMs,
      })),
    ...(withUs
      ? {
          firstProviderMs: middle(loads, (one) => one.firstMs),
          firstProviderCpuMs: middle(loads, (one) => one.firstCpuMs),
          secondProviderMs: middle(loads, (one) => one.secondMs),
        }
      : {}),
    missing,
  }
}

const result = await measure()
console.log(
  `\nbare Node: ${result.bare.wallMs.toFixed(1)} ms\n\n${[coldTable(result), ...missingLines(result.missing)].join('\n')}`,
)
console.log(`${providerSentence(result) ?? `${titleOf('modelwire')}: no provider was loaded`}\n\n${originLine(result)}`)
if (options.results) saveResult('cold-start', result, options.results)
if (options.results && options.docs) writeReport(options.results, options.docs)
