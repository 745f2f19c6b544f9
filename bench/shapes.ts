/** How many frames of recorded streams are known by their shape, and what that saves. `npm run bench:shapes`. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readStreams } from './recorded.ts'
import type { RecordedStream } from './recorded.ts'
import { shapesTable, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { ShapesResult, ShapesRow } from './results.ts'
import { interleave } from './rounds.ts'
import { median } from './statistics.ts'
import { originLine } from './words.ts'

type Way = 'parsed' | 'learnt'

const options = readOptions({ full: 9, quick: 2 }, [])
/** Milliseconds that a measurement takes at least. */
const enough = options.quick ? 20 : 250
const folder = fileURLToPath(new URL('../../shared/recordings', import.meta.url))

function readAll(streams: RecordedStream[], learn: boolean, times: number): void {
  for (let left = times; left > 0; left--) for (const stream of streams) stream.read(learn)
}

/** How often all must be read for that to take long enough; both ways are warm then. */
function timesOf(streams: RecordedStream[]): number {
  for (let times = 1; ; times *= 2) {
    const started = performance.now()
    for (const learn of [true, false]) readAll(streams, learn, times)
    const took = (performance.now() - started) / 2
    if (took > enough / 2) return Math.max(1, Math.ceil((times * enough) / took))
  }
}

async function measure(dialect: string, streams: RecordedStream[]): Promise<ShapesRow> {
  const counts = streams.map((stream) => stream.count())
  const sum = (pick: (count: (typeof counts)[number]) => number) => counts.reduce((total, count) => total + pick(count), 0)
  const frames = sum((count) => count.frames)
  const times = timesOf(streams)
  const once = async (way: Way) => {
    globalThis.gc?.({ type: 'minor' }) // nobody pays for the round before; see worker.ts
    const cpu = process.cpuUsage()
    readAll(streams, way === 'learnt', times)
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / (times * frames)
  }
  const told = (round: number) => progress(`${dialect}: round ${round + 1} of ${options.rounds}`)
  const measured = await interleave<Way>(['parsed', 'learnt'], options.rounds, once, told)
  progress('')
  const { parsed = [], learnt = [] } = Object.fromEntries(measured)
  return {
    dialect,
    recordings: streams.length,
    frames,
    hitRate: 1 - sum((count) => count.parsed) / frames,
    parsedMicros: median(parsed),
    learntMicros: median(learnt),
    speedUp: median(parsed.map((micros, round) => micros / (learnt[round] ?? NaN))),
  }
}

if (existsSync(folder)) {
  const result: ShapesResult = { ...origin(), rounds: options.rounds, rows: [] }
  for (const [dialect, streams] of await readStreams(folder)) result.rows.push(await measure(dialect, streams))
  console.log(`\n${shapesTable(result)}\n\n${originLine(result)}`)
  if (options.results) saveResult('shapes', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
} else console.log('../shared/recordings is not here, so there is nothing to measure.')
