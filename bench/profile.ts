/** Where the time goes: samples by room, beside the loop by hand. `npm run bench:profile`. */
import { start, startUpstream } from './child.ts'
import type { Child } from './child.ts'
import type { Task } from './conversation.ts'
import { places } from './places.ts'
import type { Spent } from './profiler.ts'
import { aimSentence, profileTable } from './profile-report.ts'
import { reply } from './replies.ts'
import type { Mode } from './replies.ts'
import { writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { ProfileLoad, ProfileResult } from './results.ts'
import { interleave } from './rounds.ts'
import type { Piece } from './soloist.ts'
import { median } from './statistics.ts'
import { originLine } from './words.ts'
import type { Job, Report } from './worker.ts'

/** The loop by hand, and Modelwire from its sources. */
type Who = 'byHand' | 'modelwire'

interface Load extends Omit<ProfileLoad, 'ratio' | 'rows'> {
  /** Units in one piece of what is reported. */
  units: number
  start(who: Who): Child
  /** What a child is asked to warm up, and then to be profiled. */
  job(kind: 'run' | 'profile'): Job | Piece
}

const options = readOptions({ full: 7, quick: 2 }, [])
const upstream = await startUpstream()

function calls(mode: Mode, task: Task, count: number, atOnce: number): Pick<Load, 'start' | 'job' | 'units'> {
  return {
    units: reply(mode, 'openai').count,
    start: (who) => start('worker.ts', [who === 'byHand' ? 'by-hand' : 'modelwire-src'], ['--expose-gc']),
    job: (kind) => ({ ask: kind, url: upstream.url, mode, task, calls: count, atOnce }),
  }
}

const loads: Load[] = [
  {
    id: 'paced',
    title: 'OpenAI wire, 100 streams at once, one event each 10 ms',
    unit: 'event',
    aim: 0.85,
    ...calls('paced', 'openai.stream', 100, 100),
  },
  {
    id: 'whole',
    title: 'OpenAI wire, not streamed, 50 calls at once',
    unit: 'call',
    aim: 1.2,
    ...calls('whole', 'openai.whole', options.quick ? 500 : 5000, 50),
  },
  {
    id: 'request',
    title: 'OpenAI wire, a request of 20 messages of text',
    unit: 'request',
    aim: 1.3,
    units: 1,
    start: (who) => start('soloist.ts', ['request', who === 'byHand' ? 'by-hand' : 'modelwire'], ['--expose-gc']),
    job: (kind) => ({ load: 'openai-text', ms: options.quick ? 50 : 500, profile: kind === 'profile' }),
  },
]

async function ask<Kind extends Report['kind']>(
  child: Child,
  job: Job | Piece,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  const report = await child.ask<Report>(job)
  if (report.kind === kind) return report as Extract<Report, { kind: Kind }> // the kind was just compared
  throw new Error('reason' in report ? report.reason : `asked for ${kind}, got ${report.kind}`)
}

const sum = (spent: Spent) => Object.values(spent).reduce((total, micros) => total + micros, 0)

async function measure(load: Load): Promise<ProfileLoad> {
  const children = { byHand: load.start('byHand'), modelwire: load.start('modelwire') }
  const warmUps = options.quick ? 1 : 3
  try {
    for (const child of Object.values(children))
      for (let turn = 0; turn < warmUps; turn++) await ask(child, load.job('run'), 'cost')
    const measured = await interleave<Who, Spent>(
      ['byHand', 'modelwire'],
      options.rounds,
      async (who) => (await ask(children[who], load.job('profile'), 'profile')).spent,
      (round) => progress(`${load.id}: round ${round + 1} of ${options.rounds}`),
    )
    progress('')
    const { byHand = [], modelwire = [] } = Object.fromEntries(measured)
    const middle = (all: Spent[], place: keyof Spent) => median(all.map((spent) => spent[place] ?? 0)) / load.units
    const rows = places.map((place) => ({
      place,
      byHand: middle(byHand, place),
      modelwire: middle(modelwire, place),
    }))
    return {
      id: load.id,
      title: load.title,
      unit: load.unit,
      aim: load.aim,
      ratio: median(modelwire.map((spent, round) => sum(spent) / sum(byHand[round] ?? {}))),
      rows: rows.filter((row) => row.byHand > 0 || row.modelwire > 0),
    }
  } finally {
    await Promise.all(Object.values(children).map((child) => child.stop()))
  }
}

try {
  const result: ProfileResult = { ...origin(), rounds: options.rounds, loads: [] }
  for (const load of loads) {
    const done = await measure(load)
    result.loads.push(done)
    console.log(`\n${done.title}\n\n${aimSentence(done)}\n\n${profileTable(done)}`)
  }
  console.log(`\n${originLine(result)}`)
  if (options.results) saveResult('profile', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
} finally {
  await upstream.stop()
}
