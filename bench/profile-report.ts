/** Tables and section of the profile: where the time goes. */
import { isRoom, titleOfPlace } from './places.ts'
import type { ProfileLoad, ProfileResult, ProfileRow } from './results.ts'
import { figures } from './statistics.ts'
import { table } from './table.ts'
import { originLine } from './words.ts'

const sum = (rows: ProfileRow[], who: 'byHand' | 'modelwire') => rows.reduce((total, row) => total + row[who], 0)
/** Who builds a request by hand has nothing to do but this. */
const floorOf = (unit: ProfileLoad['unit']) => (unit === 'request' ? 'JSON.stringify' : 'by hand')
const micros = (value: number) => (value === 0 ? '–' : figures(value))

/** What everyone needs in one order, so that tables can be compared; then our own rooms, the dearest first. */
export function profileTable({ rows, unit }: ProfileLoad): string {
  const own = rows.filter(({ place }) => isRoom(place)).toSorted((a, b) => b.modelwire - a.modelwire)
  const common = rows.filter(({ place }) => !isRoom(place) && place !== 'other')
  const shown = [...common, ...own, ...rows.filter(({ place }) => place === 'other')]
  return table(
    ['where', `${floorOf(unit)} µs / ${unit}`, `Modelwire µs / ${unit}`],
    [
      ...shown.map(({ place, byHand, modelwire }) => [titleOfPlace(place), micros(byHand), micros(modelwire)]),
      ['all together', micros(sum(rows, 'byHand')), micros(sum(rows, 'modelwire'))],
    ],
  )
}

export function aimSentence({ aim, ratio, rows, unit }: ProfileLoad): string {
  const own = rows.filter(({ place }) => isRoom(place))
  return `The aim is at most ${aim} × ${floorOf(unit)}; here it is ${ratio.toFixed(2)} ×. Of Modelwire's ${figures(sum(rows, 'modelwire'))} µs for ${unit === 'event' ? 'an' : 'a'} ${unit}, ${figures(sum(own, 'modelwire'))} go into its own code.`
}

export function profileSection(result: ProfileResult): string[] {
  return [
    '## Where the time goes',
    "The kernel and JSON are common to both sides. By hand has undici for the rest, Modelwire a connection of its own, planning a call, its clocks, and reading and folding what comes back: a long tail of some hundred functions, of which the rows below are the sums and none takes more than a fortieth of a call. The transport and `JSON.parse` alone are a row of the last table under Streams. The aims are at most 0.85 × by hand for 100 paced streams, 1.2 × by hand for calls that aren't streamed, and 1.3 × `JSON.stringify` for a request of 20 messages.",
    `V8's profiler, a sample each 100 µs, over Modelwire from its sources and over the loop by hand, each in a process of its own. A row is what the code there takes itself, without what it calls; JSON's are the lines that call it. The kernel, and V8's other threads (its collector and compiler), are what the operating system says; the main thread's time is shared out by the samples. These don't tell the kernel from native code, so it is taken off there, and the border between the two is a rough one. Since sampling costs time itself, the time is that of the same work without it. Medians of ${result.rounds} rounds in turn, and their sums; ratios within the same round.`,
    ...result.loads.flatMap((load) => [`### ${load.title}`, aimSentence(load), profileTable(load)]),
    originLine(result),
    'Again: `npm run bench:profile`.',
  ]
}
