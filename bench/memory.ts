/** What a stream costs in memory while it is open, and what many leave behind. `npm run bench:memory`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { start, startUpstream, untilOpen } from './child.ts'
import type { Child, Upstream } from './child.ts'
import { clients, titleOf } from './clients.ts'
import { growthTable, openTable, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { GrowthRow, MemoryResult, Missing, OpenRow } from './results.ts'
import { median, slope } from './statistics.ts'
import { missingLines, originLine } from './words.ts'
import type { Job, Report } from './worker.ts'

type Memory = Extract<Report, { kind: 'memory' }>

/** A client that can't take part; its reason goes into the tables. */
class Absent extends Error {}

const options = readOptions({ full: 3, quick: 1 })
const streams = options.quick ? 200 : 1000
const total = options.quick ? 10_000 : 100_000
const steps = 10
/** Who is held open beside the loop by hand, and who is run for long: the peers' growth is theirs to watch. */
const held = ['by-hand', 'modelwire', 'openai', 'ai-sdk']
const lasting = ['by-hand', 'modelwire']

async function ask<Kind extends Report['kind']>(child: Child, job: Job, kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
  const report = await child.ask<Report>(job)
  if (report.kind === kind) return report as Extract<Report, { kind: Kind }> // the kind was just compared
  if (report.kind === 'missing') throw new Absent(report.reason)
  throw new Error('reason' in report ? report.reason : `asked for ${kind}, got ${report.kind}`)
}

const memory = (child: Child): Promise<Memory> => ask(child, { ask: 'memory' }, 'memory')

function runShort(child: Child, upstream: Upstream, calls: number, atOnce: number) {
  return ask(child, { ask: 'run', url: upstream.url, mode: 'short', task: 'openai.stream', calls, atOnce }, 'cost')
}

/** One process: warm up on one connection, open them all, let them settle. */
async function holdOpen(id: string, upstream: Upstream): Promise<{ rss: number; heap: number }> {
  const child = start('worker.ts', [id], ['--expose-gc'])
  try {
    await runShort(child, upstream, 100, 1)
    const before = await memory(child)
    await ask(child, { ask: 'hold', url: upstream.url, mode: 'hang', task: 'openai.stream', calls: streams, atOnce: 50 }, 'started')
    await untilOpen(upstream, streams)
    await sleep(1000)
    const after = await memory(child)
    return { rss: (after.rss - before.rss) / streams, heap: (after.heapUsed - before.heapUsed) / streams }
  } finally {
    await child.stop()
    await untilOpen(upstream, 0)
  }
}

/** One process, many short streams; what is left after each step. */
async function runLong(id: string, upstream: Upstream): Promise<GrowthRow> {
  const child = start('worker.ts', [id], ['--expose-gc'])
  try {
    const row: GrowthRow = { client: id, steps: [], heapPerStream: 0, rssPerStream: 0 }
    for (let step = 1; step <= steps; step++) {
      await runShort(child, upstream, total / steps, 50)
      const { rss, heapUsed } = await memory(child)
      row.steps.push({ streams: (total / steps) * step, rss, heapUsed })
      progress(`${titleOf(id)}: ${(total / steps) * step} of ${total} short streams`)
    }
    progress('')
    const later = row.steps.slice(steps / 2 - 1)
    row.heapPerStream = slope(later.map((step) => ({ x: step.streams, y: step.heapUsed })))
    row.rssPerStream = slope(later.map((step) => ({ x: step.streams, y: step.rss })))
    return row
  } finally {
    await child.stop()
  }
}

async function measureOpen(ids: string[], upstream: Upstream, missing: Missing[]): Promise<OpenRow[]> {
  const found = new Map<string, { rss: number; heap: number }[]>(ids.map((id) => [id, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const id of found.keys()) {
      progress(`${titleOf(id)}: ${streams} open streams, round ${round + 1} of ${options.rounds}`)
      try {
        found.get(id)?.push(await holdOpen(id, upstream))
      } catch (error) {
        if (!(error instanceof Absent)) throw error
        missing.push({ client: id, reason: error.message })
        found.delete(id)
      }
    }
  }
  progress('')
  return [...found].map(([client, all]) => ({
    client,
    rssPerStream: median(all.map(({ rss }) => rss)),
    heapPerStream: median(all.map(({ heap }) => heap)),
  }))
}

const chosen = (ids: string[]) => ids.filter((id) => id === clients[0].id || !options.clients || options.clients.includes(id))

const upstream = await startUpstream()
try {
  const missing: Missing[] = []
  const open = await measureOpen(chosen(held), upstream, missing)
  const present = chosen(lasting).filter((id) => !missing.some(({ client }) => client === id))
  const growth: GrowthRow[] = []
  for (const id of present) growth.push(await runLong(id, upstream))
  const result: MemoryResult = { ...origin(), streams, rounds: options.rounds, open, growth, missing }
  console.log([`\n${streams} open streams\n`, openTable(result), ...missingLines(missing)].join('\n'))
  console.log(`\n${total} short streams\n\n${growthTable(result)}\n\n${originLine(result)}`)
  if (options.results) saveResult('memory', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
} finally {
  await upstream.stop()
}
