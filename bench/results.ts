import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clients, versions } from './clients.ts'
import { machine } from './machine.ts'
import type { Machine } from './machine.ts'
import type { Place } from './places.ts'

/** What every result says of itself. */
export interface Origin {
  when: string
  machine: Machine
  versions: Record<string, string>
}

export interface StreamRow {
  client: string
  /** CPU microseconds of the client's process for one event, or one call: the median over rounds. */
  micros: number
  /** The quartiles of the rounds. */
  low: number
  high: number
  /** To the loop by hand: the median of the ratios within each round. */
  ratio: number
}
export interface StreamLoad {
  id: string
  title: string
  unit: 'event' | 'call'
  rows: StreamRow[]
  missing: Missing[]
}
export interface Missing {
  client: string
  reason: string
}
export interface StreamResult extends Origin {
  rounds: number
  loads: StreamLoad[]
}

export interface OpenRow {
  client: string
  /** RSS of the process, per stream that hangs open: median over processes. */
  rssPerStream: number
  /** Live objects on the JavaScript heap, per stream. */
  heapPerStream: number
}
export interface GrowthRow {
  client: string
  /** After so many short streams, with garbage collected. */
  steps: { streams: number; rss: number; heapUsed: number }[]
  /** The slope over the later steps: bytes that each further stream leaves behind. */
  heapPerStream: number
  rssPerStream: number
}
export interface MemoryResult extends Origin {
  streams: number
  rounds: number
  open: OpenRow[]
  growth: GrowthRow[]
  missing: Missing[]
}

export interface ColdRow {
  what: string
  /** Milliseconds from the start of the process, minus those of bare Node. Medians. */
  wallMs: number
  cpuMs: number
}
export interface ColdStartResult extends Origin {
  rounds: number
  bare: { wallMs: number; cpuMs: number }
  rows: ColdRow[]
  /** `explain` of a first request to a provider: its manifests are read and compiled. */
  firstProviderMs?: number
  firstProviderCpuMs?: number
  /** The same for a second provider, with the machinery warm. */
  secondProviderMs?: number
  missing: Missing[]
}

export interface LocalRow {
  /** What computes: `cpu`, or the card's name. */
  device: string
  /** Tokens a second of one answer, through the binding alone and through Modelwire: medians. */
  direct: number
  modelwire: number
  /** Modelwire's speed over the binding's: the median of the ratios within each round. */
  ratio: number
  /** Milliseconds to the first text: medians. */
  directFirstMs: number
  modelwireFirstMs: number
  /** The median of the differences within each round. */
  laterMs: number
  /** Tokens a second of four answers at once through Modelwire, and how many times that is one's. */
  four: number
  fourRatio: number
  /** CPU microseconds of the process for a token, all threads: of one answer through Modelwire, and of four at once; and the main thread's part of the latter. */
  oneMicros: number
  fourMicros: number
  fourMainMicros: number
}
export interface LocalResult extends Origin {
  rounds: number
  model: string
  rows: LocalRow[]
  /** Why there is no row for a graphics card. */
  withoutGpu?: string
}

export interface ConcurrencyRow extends StreamRow {
  /** RSS of the process, per open stream: median over processes. Nothing where too few are open to tell. */
  rssPerStream: number | null
}
export interface SlowRow {
  client: string
  /** Milliseconds that the other streams take without a slow consumer, and beside one: medians. */
  aloneMs: number
  besideMs: number
  /** The median of the ratios within each round. */
  ratio: number
  /** Bytes that the upstream had sent the slow consumer when it left: the most of all rounds. */
  sent: number
}
export interface ConcurrencyResult extends Origin {
  rounds: number
  loads: { streams: number; rows: ConcurrencyRow[] }[]
  slow: SlowRow[]
  missing: Missing[]
}

export interface SoloLoad {
  id: string
  title: string
  /** Microseconds of each subject, for one piece of work. */
  rows: StreamRow[]
  missing: Missing[]
}
/** Areas that need no network. */
export type SoloArea = 'request' | 'template' | 'path'
export interface SoloResult extends Origin {
  rounds: number
  loads: SoloLoad[]
}

export interface ShapesRow {
  dialect: string
  recordings: number
  frames: number
  /** The share of frames that were known by their shape, so that they weren't parsed: 0 to 1. */
  hitRate: number
  /** CPU microseconds for one frame, from bytes to events, when all are parsed and when shapes are learnt: medians. */
  parsedMicros: number
  learntMicros: number
  /** The one over the other: the median of the ratios within each round. */
  speedUp: number
}
export interface ShapesResult extends Origin {
  rounds: number
  rows: ShapesRow[]
}

export interface ProfileRow {
  place: Place
  /** CPU microseconds of a unit that go there: medians. */
  byHand: number
  modelwire: number
}
export interface ProfileLoad {
  id: string
  title: string
  unit: 'event' | 'call' | 'request'
  /** What Modelwire may cost at most, as times of what it costs by hand. */
  aim: number
  /** What it costs: the median of the ratios within each round. */
  ratio: number
  rows: ProfileRow[]
}
export interface ProfileResult extends Origin {
  rounds: number
  loads: ProfileLoad[]
}

export interface Results {
  request: SoloResult
  template: SoloResult
  path: SoloResult
  concurrency: ConcurrencyResult
  local: LocalResult
  stream: StreamResult
  memory: MemoryResult
  shapes: ShapesResult
  profile: ProfileResult
  'cold-start': ColdStartResult
}

export interface Options {
  /** Few and short rounds: it shows that everything works, not how fast it is. Nothing is written unless `--out` says where. */
  quick: boolean
  rounds: number
  /** Only these clients; the loop by hand always runs. */
  clients: string[] | undefined
  results: string | undefined
  docs: string | undefined
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** `--quick`, `--rounds 9`, `--clients modelwire,openai`, `--out folder` (results and docs go there instead). */
export function readOptions(
  rounds: { full: number; quick: number },
  known: readonly string[] = clients.map(({ id }) => id),
): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      clients: { type: 'string' },
      out: { type: 'string' },
    },
  })
  const asked = Number(values.rounds ?? (values.quick ? rounds.quick : rounds.full))
  if (!Number.isInteger(asked) || asked < 1) leave(`--rounds takes a whole number from 1, not ${values.rounds}`)
  const names = values.clients?.split(',')
  const unknown = names?.find((name) => !known.includes(name))
  if (unknown !== undefined) leave(`--clients knows no "${unknown}", only ${known.join(', ')}`)
  return {
    quick: values.quick,
    rounds: asked,
    clients: names,
    results: values.out ?? (values.quick ? undefined : here('results')),
    docs: values.out ?? (values.quick ? undefined : here('../docs')),
  }
}

function leave(message: string): never {
  console.error(message)
  process.exit(2)
}

export function origin(): Origin {
  return { when: new Date().toISOString().slice(0, 10), machine: machine(), versions: versions() }
}

/** One line on a terminal that each call writes over; nothing elsewhere. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
}

export function saveResult<Area extends keyof Results>(area: Area, result: Results[Area], folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/${area}.json`, `${JSON.stringify(result, null, 2)}\n`)
}

export function loadResult<Area extends keyof Results>(area: Area, folder: string): Results[Area] | undefined {
  try {
    return JSON.parse(readFileSync(`${folder}/${area}.json`, 'utf8')) as Results[Area] // written by saveResult above
  } catch {
    return undefined // not measured yet
  }
}
