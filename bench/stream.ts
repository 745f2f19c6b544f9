/** What streaming costs in CPU, client beside client. `npm run bench:stream`, with `-- --quick` to see that it works. */
import { startUpstream, start } from './child.ts'
import type { Child, Upstream } from './child.ts'
import { clients, titleOf } from './clients.ts'
import type { ClientId } from './clients.ts'
import { wireOf } from './conversation.ts'
import type { Task, Wire } from './conversation.ts'
import { reply } from './replies.ts'
import type { Mode } from './replies.ts'
import { streamTable, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { Missing, StreamLoad } from './results.ts'
import { interleave, rowsOf } from './rounds.ts'
import { missingLines, originLine } from './words.ts'
import type { Job, Report } from './worker.ts'

interface Load {
  id: string
  title: string
  unit: 'event' | 'call'
  mode: Mode
  task: Task
  /** Calls a round. */
  calls: number
  quickCalls: number
  atOnce: number
}

const bulk = (wire: Wire, title: string): Load => ({
  id: wire,
  title: `${title}, 2,000 events in 16 KB pieces`,
  unit: 'event',
  mode: 'bulk',
  task: `${wire}.stream`,
  calls: 40,
  quickCalls: 4,
  atOnce: 1,
})

const loads: Load[] = [
  bulk('openai', 'OpenAI wire'),
  bulk('anthropic', 'Anthropic wire'),
  bulk('google', 'Gemini wire'),
  bulk('ollama', 'Ollama wire'),
  {
    id: 'paced',
    title: 'OpenAI wire, 100 streams at once, one event each 10 ms',
    unit: 'event',
    mode: 'paced',
    task: 'openai.stream',
    calls: 100,
    quickCalls: 20,
    atOnce: 100,
  },
  {
    id: 'whole',
    title: 'OpenAI wire, not streamed, 50 calls at once',
    unit: 'call',
    mode: 'whole',
    task: 'openai.whole',
    calls: 5000,
    quickCalls: 50,
    atOnce: 50,
  },
]

/** Each client waits for the others between its rounds, as it wouldn't at work. V8 would shrink its heap meanwhile, and throw code away; `idle.ts` measures what that costs. */
const atWork = ['--no-memory-reducer']
const warm = { leastRounds: 5, mostRounds: 40, ms: 25_000 }
const floor: ClientId = clients[0].id
const options = readOptions({ full: 7, quick: 2 })

async function once(child: Child, upstream: Upstream, load: Load): Promise<Report> {
  const { mode, task, atOnce } = load
  const calls = options.quick ? load.quickCalls : load.calls
  return child.ask<Report>({ ask: 'run', url: upstream.url, mode, task, calls, atOnce } satisfies Job)
}

const eventsOf = (load: Load) => reply(load.mode, wireOf(load.task)).count

/** Warms the clients up, all at once, drops those that can't, then goes round: each round starts with another client. */
async function measure(load: Load, children: Map<ClientId, Child>, upstream: Upstream): Promise<StreamLoad> {
  const present: ClientId[] = []
  const missing: Missing[] = []
  const units = (options.quick ? load.quickCalls : load.calls) * eventsOf(load)
  const warmed = [...children].map(async ([id, child]) => ({ id, report: await warmUp(child, upstream, load) }))
  for (const { id, report } of await Promise.all(warmed)) {
    if (report.kind === 'cost') present.push(id)
    else if (report.kind === 'failed') missing.push({ client: id, reason: `failed: ${report.reason}` })
    else if (report.kind === 'missing' && !report.reason.startsWith('speaks no'))
      missing.push({ client: id, reason: report.reason })
  }
  const told = (round: number) => progress(`${load.id}: round ${round + 1} of ${options.rounds}`)
  const measured = await interleave(
    present,
    options.rounds,
    async (id, round) => {
      const child = children.get(id)
      if (child && !options.quick) await once(child, upstream, load) // it has waited for the others
      const report = child && (await once(child, upstream, load))
      if (report?.kind === 'cost') return report.cpuMicros / units
      throw new Error(`${titleOf(id)} in round ${round + 1}: ${report && 'reason' in report ? report.reason : report?.kind}`)
    },
    told,
  )
  progress('')
  return { id: load.id, title: load.title, unit: load.unit, rows: rowsOf(measured, floor), missing }
}

/** Until V8 has optimised what it will: what runs once a call only gets there after some thousand calls. All clients have the same time for it. */
async function warmUp(child: Child, upstream: Upstream, load: Load): Promise<Report> {
  const started = performance.now()
  const enough = (rounds: number) =>
    options.quick || rounds >= warm.mostRounds || (rounds >= warm.leastRounds && performance.now() - started > warm.ms)
  let last = await once(child, upstream, load)
  for (let rounds = 1; last.kind === 'cost' && !enough(rounds); rounds++) last = await once(child, upstream, load)
  return last
}

const chosen = clients.filter(({ id }) => id === floor || !options.clients || options.clients.includes(id))
const children = new Map<ClientId, Child>()
let upstream: Upstream | undefined
try {
  upstream = await startUpstream()
  for (const { id } of chosen) children.set(id, start('worker.ts', [id], ['--expose-gc', ...atWork]))
  const result = { ...origin(), rounds: options.rounds, loads: new Array<StreamLoad>() }
  for (const load of loads) {
    const done = await measure(load, children, upstream)
    result.loads.push(done)
    console.log([`\n${done.title}\n`, streamTable(done), ...missingLines(done.missing)].join('\n'))
  }
  console.log(`\n${originLine(result)}`)
  if (options.results) saveResult('stream', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
  if (result.loads.some((load) => load.missing.some(({ reason }) => reason.startsWith('failed')))) process.exitCode = 1
} finally {
  await Promise.all([...children.values(), ...(upstream ? [upstream] : [])].map((child) => child.stop()))
}
