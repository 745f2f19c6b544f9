/** Where samples of a profile fall: the rows of its tables. */
import { readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { fileURLToPath } from 'node:url'

/** What everyone who calls a model needs, as the tables call it, and in their order. */
const common = {
  kernel: 'kernel',
  helpers: "V8's other threads",
  garbage: 'garbage collection',
  native: 'native code',
  microtasks: 'microtasks, promises',
  node: "Node's modules",
  undici: 'undici, its parser',
  parse: 'JSON.parse',
  stringify: 'JSON.stringify',
  loop: "the benchmark's loop",
}
/** Modelwire's own. */
const rooms = ['client', 'resilience', 'transport', 'wire', 'pipeline', 'lang', 'core', 'manifest'] as const
type Room = (typeof rooms)[number]

export type Place = keyof typeof common | Room | 'other'
export const places: Place[] = [...(Object.keys(common) as (keyof typeof common)[]), ...rooms, 'other'] // as it is written above

export const isRoom = (place: string): place is Room => rooms.some((room) => room === place)
export const titleOfPlace = (place: Place) => (place === 'other' ? 'other code' : isRoom(place) ? `src/${place}` : common[place])

const root = new URL('..', import.meta.url).href
const sources = new Map<string, string[]>()

/** JSON is built in and has no frame of its own, so its time is that of the line that calls it. */
function jsonAt(url: string, line: number): 'parse' | 'stringify' | undefined {
  if (!url.startsWith('file:')) return undefined
  let lines = sources.get(url)
  if (!lines) sources.set(url, (lines = readFileSync(fileURLToPath(url), 'utf8').split('\n')))
  return /\bJSON\.(parse|stringify)\(/.exec(lines[line - 1] ?? '')?.[1] as 'parse' | 'stringify' | undefined // as the pattern says
}

/** Undefined for what isn't work, and for the profiler's own. */
function placeOf({ functionName, url }: Profiler.ProfileNode['callFrame']): Place | undefined {
  if (['(root)', '(idle)'].includes(functionName) || url === 'node:inspector') return undefined
  if (functionName === '(garbage collector)') return 'garbage'
  if (functionName === 'runMicrotasks' || url.startsWith('node:internal/process/task_queues')) return 'microtasks'
  if (url.startsWith('node:')) return 'node'
  if (url.includes('/node_modules/undici/') || /^wasm\b/.test(url || functionName)) return 'undici'
  if (url === '') return 'native'
  const [folder = '', room = ''] = url.startsWith(root) ? url.slice(root.length).split('/') : []
  if (folder === 'src' && isRoom(room)) return room
  return folder === 'bench' && room !== 'node_modules' ? 'loop' : 'other'
}

/** Samples by place, by where the processor itself was: what a function calls is not counted as its own. */
export function countSamples(nodes: Profiler.ProfileNode[]): Partial<Record<Place, number>> {
  const counts: Partial<Record<Place, number>> = {}
  const add = (place: Place, samples: number) => (counts[place] = (counts[place] ?? 0) + samples)
  for (const { callFrame, hitCount = 0, positionTicks = [] } of nodes) {
    const place = placeOf(callFrame)
    if (place === undefined) continue
    let left = hitCount
    for (const { line, ticks } of positionTicks) {
      const json = jsonAt(callFrame.url, line)
      if (json === undefined) continue
      add(json, ticks)
      left -= ticks
    }
    add(place, left)
  }
  return counts
}
