/** One client in a process of its own: `worker.ts by-hand`. It does what its parent asks and says what that cost. */
import { isDeepStrictEqual } from 'node:util'
import { noId, wireOf } from './conversation.ts'
import { reply } from './replies.ts'
import type { Mode } from './replies.ts'
import type { Answer, Connect, Run, Task } from './conversation.ts'
import { profile } from './profiler.ts'
import type { Spent } from './profiler.ts'

/**
 * `run`: calls to do, so many at once, and then say the cost. `profile`: the same, and say where it goes. `hold`: start calls that hang, and don't wait. `open`: start calls
 * that `finish` waits for. `lap`: say the cost since `mark`. `memory`: collect garbage and say what is left.
 */
export type Job = Work | { ask: 'memory' | 'mark' | 'lap' | 'finish' }
interface Work {
  ask: 'run' | 'profile' | 'hold' | 'open'
  url: string
  mode: Mode
  task: Task
  calls: number
  atOnce: number
}

export type Report =
  | { kind: 'cost'; cpuMicros: number; wallMs: number }
  /** CPU microseconds of one call, or of one piece of work. */
  | { kind: 'profile'; spent: Spent }
  | { kind: 'memory'; rss: number; heapUsed: number; external: number }
  | { kind: 'started' }
  /** The client isn't installed, isn't built, or has no such task. */
  | { kind: 'missing'; reason: string }
  | { kind: 'failed'; reason: string }

const id = process.argv[2] ?? ''
const ready = new Map<string, Awaited<ReturnType<Connect>>>()
const opened: Promise<void>[] = []
let marked = { wall: 0, cpu: process.cpuUsage() }
let failure: string | undefined

class Missing extends Error {}

async function connect(base: string) {
  let client = ready.get(base)
  if (!client) {
    try {
      const module = (await import(new URL(`./clients/${id}.ts`, import.meta.url).href)) as { connect: Connect } // what every file there exports
      client = await module.connect(base)
    } catch (error) {
      const text = String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
      throw new Missing(
        text.startsWith('Cannot find package')
          ? `not installed; npm ci --prefix bench does it (${text.split(' imported')[0]})`
          : text,
      )
    }
    ready.set(base, client)
  }
  return client
}

async function findRun(job: Work): Promise<Run> {
  const run = (await connect(`${job.url}/${job.mode}`))[job.task]
  if (!run) throw new Missing('speaks no such wire')
  return run
}

/** Without what a client has beside the counts that are compared, and with the right id where it doesn't give one on. */
function comparable({ text, toolCall, usage: { inputTokens, outputTokens } }: Answer, expected: Answer): Answer {
  const call = toolCall?.id === noId && expected.toolCall ? { ...toolCall, id: expected.toolCall.id } : toolCall
  return { text, toolCall: call, usage: { inputTokens, outputTokens } }
}

/** Throws with the first difference when a client lost or changed something. */
function check(actual: Answer, expected: Answer): void {
  for (const field of ['text', 'toolCall', 'usage'] as const) {
    const got = comparable(actual, expected)[field]
    if (isDeepStrictEqual(got, expected[field])) continue
    const [wanted, came] = [JSON.stringify(expected[field]) ?? 'nothing', JSON.stringify(got) ?? 'nothing']
    let same = 0
    while (wanted[same] === came[same] && same < wanted.length) same++
    const excerpt = (text: string) => text.slice(Math.max(0, same - 20), same + 40)
    throw new Error(`wrong ${field} from character ${same}: expected …${excerpt(wanted)}…, got …${excerpt(came)}…`)
  }
}

const expectedOf = ({ mode, task }: Work): Answer => reply(mode, wireOf(task)).answer

/** All calls of a job, so many at once. */
async function callAll({ calls, atOnce }: Work, run: Run): Promise<Answer[]> {
  const answers: Answer[] = []
  let left = calls
  const lane = async () => {
    while (left-- > 0) answers.push(await run())
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return answers
}

/** Answers are checked when the clock stands still, and until then they are held: not so many that they are most of the garbage. */
const mostAnswers = 1_000

async function measure(job: Work): Promise<Report> {
  const run = await findRun(job)
  const expected = expectedOf(job)
  let [cpuMicros, wallMs] = [0, 0]
  for (let left = job.calls; left > 0; left -= mostAnswers) {
    tidy()
    const wall = performance.now()
    const cpu = process.cpuUsage()
    const answers = await callAll({ ...job, calls: Math.min(left, mostAnswers) }, run)
    const { user, system } = process.cpuUsage(cpu)
    cpuMicros += user + system
    wallMs += performance.now() - wall
    for (const answer of answers) check(answer, expected)
  }
  return { kind: 'cost', cpuMicros, wallMs }
}

async function profileCalls(job: Work): Promise<Report> {
  const run = await findRun(job)
  const expected = expectedOf(job)
  const answers: Answer[] = []
  await collect()
  const spent = await profile(job.calls, async () => void answers.push(...(await callAll(job, run))))
  for (const answer of answers) check(answer, expected)
  return { kind: 'profile', spent }
}

/** A few at once, so that no queue of connections overflows. */
async function startCalls({ calls, atOnce }: Work, call: () => void): Promise<Report> {
  for (let started = 0; started < calls; started++) {
    call()
    if (started % atOnce === atOnce - 1) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return { kind: 'started' }
}

async function hold(job: Work): Promise<Report> {
  const run = await findRun(job)
  return startCalls(job, () => {
    run().then(
      () => (failure ??= 'a stream that should hang ended'),
      (error: unknown) => (failure ??= String(error)),
    )
  })
}

async function open(job: Work): Promise<Report> {
  const run = await findRun(job)
  const expected = expectedOf(job)
  return startCalls(job, () => {
    const checked = run().then((answer) => check(answer, expected))
    checked.catch((error: unknown) => (failure ??= error instanceof Error ? error.message : String(error)))
    opened.push(checked)
  })
}

function mark(): Report {
  marked = { wall: performance.now(), cpu: process.cpuUsage() }
  return { kind: 'started' }
}

function lap(): Report {
  const { user, system } = process.cpuUsage(marked.cpu)
  return { kind: 'cost', cpuMicros: user + system, wallMs: performance.now() - marked.wall }
}

async function finish(): Promise<Report> {
  await Promise.all(opened.splice(0))
  return lap()
}

/**
 * Nobody pays for the round before. Only what is young: a whole collection takes away the hidden classes of objects that come
 * again with the next round, and with them the code that was optimised for them, which no server that is at work ever sees.
 */
function tidy(): void {
  globalThis.gc?.({ type: 'minor' })
}

/** Several times, with turns of the event loop between: closed sockets are let go of in those. */
async function collect(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function memory(): Promise<Report> {
  if (failure) return { kind: 'failed', reason: failure }
  await collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { kind: 'memory', rss, heapUsed, external }
}

async function work(job: Job): Promise<Report> {
  try {
    switch (job.ask) {
      case 'memory':
        return await memory()
      case 'mark':
        return mark()
      case 'lap':
        return lap()
      case 'finish':
        return await finish()
      case 'run':
        return await measure(job)
      case 'profile':
        return await profileCalls(job)
      case 'hold':
        return await hold(job)
      case 'open':
        return await open(job)
    }
  } catch (error) {
    if (error instanceof Missing) return { kind: 'missing', reason: error.message }
    return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  }
}

process.on('message', (job: Job) => void work(job).then((report) => process.send?.(report)))
process.on('disconnect', () => process.exit(0))
