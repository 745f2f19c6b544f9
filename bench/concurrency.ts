/** What a stream costs when many are open at once, and whether a slow consumer holds the others up. `npm run bench:concurrency`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { start, startUpstream, untilOpen } from './child.ts'
import type { Child, Upstream } from './child.ts'
import { clients, titleOf } from './clients.ts'
import type { ClientId } from './clients.ts'
import { gate, reply } from './replies.ts'
import type { Mode } from './replies.ts'
import { concurrencyTable, slowTable, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { ConcurrencyResult, ConcurrencyRow, Missing, SlowRow } from './results.ts'
import { interleave, rowsOf } from './rounds.ts'
import { median } from './statistics.ts'
import { missingLines, originLine } from './words.ts'
import type { Job, Report } from './worker.ts'

interface Crowd {
  streams: number
  mode: Mode & `gate${string}`
}

const floor: ClientId = clients[0].id
const held: ClientId[] = [floor, 'modelwire']
const options = readOptions({ full: 5, quick: 1 })
const crowds: Crowd[] = options.quick
  ? [
      { streams: 1, mode: 'gate' },
      { streams: 200, mode: 'gate' },
    ]
  : [
      { streams: 1, mode: 'gateLong' },
      { streams: 100, mode: 'gateLong' },
      { streams: 1000, mode: 'gate' },
      { streams: 5000, mode: 'gate' },
    ]
/** Events a second: of one stream, and of all together. More would be merged into one read on a small machine. */
const [ownRate, wholeRate] = [100, 10_000]
/** With fewer open streams, what the heap does by itself is more than they take. */
const enough = 1000
/** A consumer that takes everything in, however slow it reads, would get hundreds of megabytes. */
const mostSent = 64 * 2 ** 20

const missing: Missing[] = []

async function ask<Kind extends Report['kind']>(child: Child, job: Job, kind: Kind): Promise<Extract<Report, { kind: Kind }>> {
  const report = await child.ask<Report>(job)
  if (report.kind === kind) return report as Extract<Report, { kind: Kind }> // the kind was just compared
  throw new Error('reason' in report ? report.reason : `asked for ${kind}, got ${report.kind}`)
}

/** A worker that has done all this before, so that nothing is compiled while we measure. */
async function warm(id: ClientId, upstream: Upstream): Promise<Child> {
  const child = start('worker.ts', [id], ['--expose-gc'])
  const calls = options.quick ? 50 : 400
  await ask(child, { ask: 'run', url: upstream.url, mode: 'short', task: 'openai.stream', calls, atOnce: 4 }, 'cost')
  return child
}

/** One process: open all streams, look at the memory, let them all go on at once, and take the time of the processor up to their last events. */
async function crowd(id: ClientId, { streams, mode }: Crowd, upstream: Upstream): Promise<{ micros: number; rss: number }> {
  const child = await warm(id, upstream)
  try {
    const before = await ask(child, { ask: 'memory' }, 'memory')
    await ask(child, { ask: 'open', url: upstream.url, mode, task: 'openai.stream', calls: streams, atOnce: 50 }, 'started')
    await untilOpen(upstream, streams)
    await sleep(500)
    const after = await ask(child, { ask: 'memory' }, 'memory')
    await ask(child, { ask: 'mark' }, 'started')
    const rate = Math.min(streams * ownRate, wholeRate)
    await upstream.release(rate)
    await sleep(100)
    const { cpuMicros } = await ask(child, { ask: 'lap' }, 'cost')
    await upstream.release(rate)
    await ask(child, { ask: 'finish' }, 'cost')
    const events = streams * (reply(mode, 'openai').events.length - gate.before - gate.after)
    return { micros: cpuMicros / events, rss: (after.rss - before.rss) / streams }
  } finally {
    await child.stop()
    await untilOpen(upstream, 0)
  }
}

async function measureCrowd(ids: ClientId[], size: Crowd, upstream: Upstream): Promise<ConcurrencyRow[]> {
  const rss = new Map<string, number[]>(ids.map((id) => [id, []]))
  const measured = await interleave(
    ids,
    options.rounds,
    async (id) => {
      const one = await crowd(id, size, upstream)
      rss.get(id)?.push(one.rss)
      return one.micros
    },
    (round) => progress(`${size.streams} streams: round ${round + 1} of ${options.rounds}`),
  )
  progress('')
  const rssOf = (client: string) => (size.streams < enough ? null : median(rss.get(client) ?? []))
  return rowsOf(measured, floor).map((row) => Object.assign(row, { rssPerStream: rssOf(row.client) }))
}

/** Streams as fast as they go, alone and beside one whose reader takes its time. */
async function measureSlow(id: ClientId, upstream: Upstream): Promise<SlowRow> {
  const { url } = upstream
  const child = await warm(id, upstream)
  const others = async () =>
    (await ask(child, { ask: 'run', url, mode: 'bulk', task: 'openai.stream', calls: 40, atOnce: 5 }, 'cost')).wallMs
  const rounds: { alone: number; beside: number; sent: number }[] = []
  try {
    for (let few = 0; few < 3; few++) await others()
    for (let round = 0; round < options.rounds; round++) {
      const first = round % 2 === 0 ? await others() : undefined
      await ask(child, { ask: 'open', url, mode: 'flood', task: 'openai.slow', calls: 1, atOnce: 1 }, 'started')
      await ask(child, { ask: 'mark' }, 'started')
      const beside = await others()
      await ask(child, { ask: 'finish' }, 'cost')
      const sent = await upstream.flooded()
      const alone = first ?? (await others()) // each comes first in turn
      if (sent > mostSent) throw new Error(`${titleOf(id)} took ${sent} bytes in ahead of a slow reader`)
      rounds.push({ alone, beside, sent })
      progress(`slow consumer, ${titleOf(id)}: round ${round + 1} of ${options.rounds}`)
    }
  } finally {
    progress('')
    await child.stop()
  }
  return {
    client: id,
    aloneMs: median(rounds.map(({ alone }) => alone)),
    besideMs: median(rounds.map(({ beside }) => beside)),
    ratio: median(rounds.map(({ alone, beside }) => beside / alone)),
    sent: Math.max(...rounds.map(({ sent }) => sent)),
  }
}

/** Who can take part: a client that isn't built or installed says so once. */
async function present(id: ClientId, upstream: Upstream): Promise<boolean> {
  const child = start('worker.ts', [id], ['--expose-gc'])
  try {
    const job: Job = { ask: 'run', url: upstream.url, mode: 'short', task: 'openai.stream', calls: 1, atOnce: 1 }
    const report = await child.ask<Report>(job)
    if ('reason' in report) missing.push({ client: id, reason: report.reason })
    return report.kind === 'cost'
  } finally {
    await child.stop()
  }
}

const upstream = await startUpstream()
try {
  const ids: ClientId[] = []
  for (const id of held)
    if ((id === floor || options.clients?.includes(id) !== false) && (await present(id, upstream))) ids.push(id)
  const result: ConcurrencyResult = { ...origin(), rounds: options.rounds, loads: [], slow: [], missing }
  for (const size of crowds) result.loads.push({ streams: size.streams, rows: await measureCrowd(ids, size, upstream) })
  for (const id of ids) result.slow.push(await measureSlow(id, upstream))
  console.log(`\n${concurrencyTable(result)}\n\n${slowTable(result)}\n`)
  console.log([...missingLines(missing), originLine(result)].join('\n'))
  if (options.results) saveResult('concurrency', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
} finally {
  await upstream.stop()
}
