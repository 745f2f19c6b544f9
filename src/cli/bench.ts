import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { ChatRequest, Runtime } from '../index.ts'
import { createPicture } from './bar.ts'
import { type Status, tell } from './failure.ts'
import { type Figures, figuresOf, type Sum } from './figures.ts'
import { atLeastOne, milliseconds, readPiped, readText, setting, several, wholeNumber } from './inputs.ts'
import { type Course, measure, type Measured } from './measure.ts'
import { addressOption, interruptible, modelOf, openRuntime, protocolsOption, providerOf, type SessionFlags } from './session.ts'
import { warningText } from './speak.ts'
import type { Spread } from './spread.ts'
import { span } from './summary.ts'
import { note, out, outJson, paint, paintNote, safe } from './terminal.ts'
import { unnamed } from './unnamed.ts'
import { UsageError } from './usage.ts'

interface BenchFlags extends SessionFlags, Course {
  model?: string[]
  prompt?: string
  promptFile?: string
  fresh?: boolean
  maxTokens: number
  wire?: string
  set?: Record<string, unknown>
  timeout?: number
  json?: boolean
}

const examples = `
Examples:
  modelwire bench -m provider/model
  modelwire bench -m provider/model -m other/model --rounds 20       compared in one table
  modelwire bench -m provider/model --rounds 100 --concurrency 10    under load
  modelwire bench -m provider/model --prompt-file long.txt --fresh   without what a cache saves
  modelwire bench -m provider/model --json | jq '.models[].firstTokenMs.p50'

Each call is streamed and counted from here: the time to the first token, the speed of the tokens after it, the whole
time. p90 stands there from 10 answers, p99 from 100. Nothing is retried; what fails is counted by its kind and left out
of the times, and so are pauses that a provider asks for. Models are measured one after the other. Ctrl-C ends it with
what was measured so far. Exit status: 0 when every model answered at least once, 1 when one didn't, 2 wrong usage, 130
interrupted.`

const defaultPrompt = 'Explain in about a hundred words why the sky is blue.'

export function benchCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('bench')
    .description('measure a model: first token, speed, whole time, cost')
    .option('-m, --model <provider/model>', 'a model to measure (or MODELWIRE_MODEL; may be repeated)', several)
    .option('--rounds <n>', 'calls that count, for each model', atLeastOne, 5)
    .option('--concurrency <n>', 'so many calls at once', atLeastOne, 1)
    .option('--warmup <n>', "calls before them that don't count", wholeNumber, 1)
    .option('--prompt <text>', 'what to ask')
    .option('--prompt-file <file>', 'the same from a file; - is standard input')
    .option('--fresh', 'begin each prompt with other letters, so that no cache knows it')
    .option('--max-tokens <n>', 'at most so many tokens an answer', atLeastOne, 128)
    .option('--wire <name>', 'a named alternative wire of the provider')
    .option('--set <name=value>', "another field of the provider's body (may be repeated)", setting)
  protocolsOption(addressOption(command))
    .option('--timeout <ms>', 'milliseconds for a whole call', milliseconds)
    .option('--strict', 'a warning is an error')
    .option('--json', 'print everything as one JSON object, each call too')
    .addHelpText('after', examples)
    .action(async (flags: BenchFlags) => done(await bench(flags)))
}

async function bench(flags: BenchFlags): Promise<Status> {
  const models = await modelsOf(flags)
  const prompt = await promptOf(flags)
  const mw = await openRuntime(flags, providerOf(models[0] ?? ''))
  const { signal, stop } = interruptible()
  const when = new Date().toISOString()
  const all: { figures: Figures; measured: Measured }[] = []
  try {
    for (const model of models) {
      if (signal.aborted) break
      const measured = await watch(mw, requests(model, prompt, flags), flags, signal, model)
      all.push({ measured, figures: figuresOf(model, measured) })
    }
  } finally {
    stop()
    await mw.close()
  }
  const figures = all.map((one) => one.figures)
  if (flags.json === true) outJson({ when, ...settingsOf(flags), interrupted: signal.aborted, models: figures })
  else await show(figures, flags)
  for (const one of all) tellTroubles(one.figures, one.measured)
  if (signal.aborted) return 130
  return figures.every(({ succeeded }) => succeeded > 0) ? 0 : 1
}

async function modelsOf(flags: BenchFlags): Promise<string[]> {
  const { model = [] } = flags
  const models = model.length > 0 ? model.map((one) => modelOf({ model: one })) : [modelOf(await unnamed(flags))]
  if (flags.baseUrl !== undefined && new Set(models.map(providerOf)).size > 1)
    throw new UsageError('--base-url goes with the models of one provider')
  return models
}

async function promptOf({ prompt, promptFile }: BenchFlags): Promise<string> {
  if (prompt !== undefined && promptFile !== undefined) throw new UsageError('--prompt and --prompt-file exclude each other')
  const given = promptFile === '-' ? await readPiped(true) : promptFile === undefined ? prompt : readText(promptFile, 'the prompt')
  const text = promptFile === undefined && given === undefined ? defaultPrompt : (given ?? '').trimEnd()
  if (text === '') throw new UsageError('the prompt is empty')
  return text
}

/** A request for each call: alike, but for the letters that `--fresh` puts before the prompt. */
function requests(model: string, prompt: string, { fresh, maxTokens, wire, set, timeout }: BenchFlags): () => ChatRequest {
  return () => ({
    model,
    prompt: fresh === true ? `${randomUUID().slice(0, 8)}\n\n${prompt}` : prompt,
    maxTokens,
    ...(wire === undefined ? {} : { wire }),
    ...(set === undefined ? {} : { extra: set }),
    ...(timeout === undefined ? {} : { timeout }),
  })
}

function settingsOf({ rounds, concurrency, warmup, maxTokens, fresh = false }: BenchFlags): Record<string, unknown> {
  return { rounds, concurrency, warmup, maxTokens, fresh }
}

/** With a bar on a terminal, and nothing elsewhere. */
async function watch(
  mw: Runtime,
  ask: () => ChatRequest,
  flags: BenchFlags,
  signal: AbortSignal,
  model: string,
): Promise<Measured> {
  if (!process.stderr.isTTY) return measure(mw, ask, flags, signal, () => undefined)
  const picture = createPicture(process.stderr)
  let failed = 0
  try {
    picture.show(model, 0, model)
    return await measure(mw, ask, flags, signal, ({ error }, done) => {
      if (error !== null) failed++
      picture.show(model, done / flags.rounds, `${model} ${done} of ${flags.rounds}${failed === 0 ? '' : `, ${failed} failed`}`)
    })
  } finally {
    picture.end()
  }
}

// ---- the report --------------------------------------------------------------------------------------------------

async function show(figures: Figures[], { concurrency, maxTokens }: BenchFlags): Promise<void> {
  if (figures.every(({ succeeded }) => succeeded === 0)) return
  const { table } = await import('./table.ts')
  const columns: [title: string, cell: (one: Figures) => string][] = [
    ['model', ({ model }) => safe(model)],
    ['first token', ({ firstTokenMs }) => time(firstTokenMs?.p50)],
    ['first p90', ({ firstTokenMs }) => time(firstTokenMs?.p90)],
    ['first p99', ({ firstTokenMs }) => time(firstTokenMs?.p99)],
    ['tok/s', ({ tokensPerSecond }) => rate(tokensPerSecond?.p50)],
    ['total', ({ totalMs }) => time(totalMs?.p50)],
    ['total p90', ({ totalMs }) => time(totalMs?.p90)],
    ['total p99', ({ totalMs }) => time(totalMs?.p99)],
    ...(concurrency === 1 ? [] : [['all tok/s', ({ throughput }) => rate(throughput)] satisfies (typeof columns)[number]]),
    ['in', ({ inputTokens }) => mean(inputTokens)],
    ['cached', ({ cachedInputTokens }) => (cachedInputTokens?.total === 0 ? '' : mean(cachedInputTokens))],
    ['out', ({ outputTokens }) => mean(outputTokens)],
    ['cost', ({ cost }) => (cost === null ? '' : `$${cost.total.toPrecision(3)}`)],
    ['calls', ({ succeeded, failed }) => String(succeeded + failed)],
    ['failed', ({ failed, errors }) => (failed === 0 ? '' : paint.red(kinds(errors)))],
  ]
  const used = columns.filter(([, cell]) => figures.some((one) => cell(one) !== ''))
  const spare = ['cached', 'total p99', 'first p99', 'in', 'total p90', 'first p90']
  const head = used.map(([title]) => title)
  out(
    table(
      head,
      figures.map((one) => used.map(([, cell]) => cell(one) || '–')),
      spare,
    ),
  )
  note(
    paintNote.dim(
      `medians and means of streamed calls, ${concurrency === 1 ? 'one' : concurrency} at once, at most ${maxTokens} tokens each`,
    ),
  )
}

const time = (ms: Spread['p90'] | undefined): string =>
  ms === null || ms === undefined ? '' : ms < 10 ? `${ms.toFixed(1)} ms` : span(ms)
const rate = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : value < 10 ? value.toFixed(1) : String(Math.round(value))
const mean = (sum: Sum): string => (sum === null ? '' : String(Math.round(sum.mean)))
const kinds = (errors: Record<string, number>): string =>
  Object.entries(errors)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')

/** One failure of each kind in its own words, and what the runtime warned of. */
function tellTroubles({ model, failed, calls }: Figures, { failures, warnings }: Measured): void {
  for (const warning of warnings.values()) note(`${paintNote.yellow('warning:')} ${warningText(warning)}`)
  if (failures.size === 0) return
  const where = failed === 0 ? 'a call before the first that counts failed' : `${failed} of ${calls.length} calls failed`
  note(paintNote.dim(safe(`${model}: ${where}`)))
  for (const failure of failures.values()) tell(failure)
}
