/**
 * What the first work after an idle time costs: V8 collects all garbage then, and optimised code with it. `npm run bench:idle`. It prints only.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startUpstream, start } from './child.ts'
import type { Child, Upstream } from './child.ts'
import { titleOf } from './clients.ts'
import type { ClientId } from './clients.ts'
import { wireOf } from './conversation.ts'
import type { Task } from './conversation.ts'
import { reply } from './replies.ts'
import type { Mode } from './replies.ts'
import { origin, progress, readOptions } from './results.ts'
import { interleave } from './rounds.ts'
import { figures, median } from './statistics.ts'
import { table } from './table.ts'
import { originLine } from './words.ts'
import type { Job, Report } from './worker.ts'

interface Load {
  title: string
  mode: Mode
  task: Task
  calls: number
  atOnce: number
}

const loads: Load[] = [
  { title: 'Anthropic wire, 80,000 events: µs / event', mode: 'bulk', task: 'anthropic.stream', calls: 40, atOnce: 1 },
  { title: 'OpenAI wire, 1,000 calls not streamed: µs / call', mode: 'whole', task: 'openai.whole', calls: 1000, atOnce: 50 },
]
const ids: ClientId[] = ['by-hand', 'modelwire']
const warmRounds = 40
/** After it Modelwire has made what it keeps; see src/client/resident.ts. */
const settledMs = 1_500
const options = readOptions({ full: 7, quick: 2 }, [])

async function cost(child: Child, upstream: Upstream, { mode, task, calls, atOnce }: Load): Promise<number> {
  const report = await child.ask<Report>({ ask: 'run', url: upstream.url, mode, task, calls, atOnce } satisfies Job)
  if (report.kind !== 'cost') throw new Error('reason' in report ? report.reason : report.kind)
  return report.cpuMicros / (calls * reply(mode, wireOf(task)).count)
}

async function measure(load: Load, children: Map<ClientId, Child>, upstream: Upstream): Promise<string[][]> {
  const childOf = (id: ClientId): Child => children.get(id) as Child // all were started
  for (const id of ids)
    for (let round = 0; round < (options.quick ? 2 : warmRounds); round++) await cost(childOf(id), upstream, load)
  await sleep(settledMs)
  const measured = await interleave(
    ids,
    options.rounds,
    async (id) => {
      const child = childOf(id)
      await cost(child, upstream, load)
      const before = await cost(child, upstream, load)
      await child.ask<Report>({ ask: 'memory' } satisfies Job) // collects all garbage first
      return { before, after: await cost(child, upstream, load) }
    },
    (round) => progress(`${load.task}: round ${round + 1} of ${options.rounds}`),
  )
  progress('')
  return [...measured].map(([id, rounds]) => [
    titleOf(id),
    figures(median(rounds.map(({ before }) => before))),
    figures(median(rounds.map(({ after }) => after))),
    figures(median(rounds.map(({ before, after }) => after / before))),
  ])
}

const children = new Map<ClientId, Child>()
let upstream: Upstream | undefined
try {
  upstream = await startUpstream()
  for (const id of ids) children.set(id, start('worker.ts', [id], ['--expose-gc']))
  for (const load of loads)
    console.log(`\n${table([load.title, 'at work', 'right after', 'ratio'], await measure(load, children, upstream))}`)
  console.log(`\n${originLine(origin())}`)
} finally {
  await Promise.all([...children.values(), ...(upstream ? [upstream] : [])].map((child) => child.stop()))
}
