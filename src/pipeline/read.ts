import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Pattern } from '../lang/pattern.ts'
import { type Eval, isMap, type Roots } from '../lang/value.ts'
import { Accumulator, type Audience, type Endings } from './accumulate.ts'
import { firstOf } from './bytes.ts'
import { BytesDecoder } from './decode/bytes.ts'
import { parseFrame, tooLarge } from './decode/frame.ts'
import { JsonDecoder } from './decode/json.ts'
import { NdjsonDecoder } from './decode/ndjson.ts'
import { SseDecoder, type SseOptions } from './decode/sse.ts'
import { Learner, type Lessons, type Memory } from './learn.ts'
import type { Say } from './dispatch.ts'
import type { Cut, Found, Frame, FrameSink, Progress, Shapes, Sink } from './operator.ts'
import type { Rules } from './rules.ts'
import type { Outcome } from './shape.ts'
import type { Speech } from './speech.ts'
import { split, type SplitOptions } from './split.ts'
import type { Special } from './words.ts'

export type DecoderName = 'sse' | 'ndjson' | 'json' | 'bytes' | 'none'

/** What proves that a stream is complete: any of these. */
export interface Completion {
  done: boolean
  finish: boolean
  end: boolean
  when: Pattern[]
}

/** How an operation's reply is read; compiled once from the manifest. */
export interface ReadPlan {
  decode: { name: DecoderName; options: SseOptions }
  select: Eval | undefined
  rules: Rules
  split: SplitOptions | undefined
  complete: Completion
  /** Words that rules compare with, and what was learnt of frames; see learn.ts. */
  special: Special
  memory: Memory
}

export interface ReadInput {
  /** The reply's headers, names in lower case. */
  headers: Record<string, string>
  roots: Roots
  endings: Endings
  /** Bytes that one event may have. */
  limit: number
  streamed: boolean
  /** Whether the body's end proves that it is whole: one that just stops with its connection may have been cut. */
  framed: boolean
  /** Whether frames may be read by the shape of those before them. */
  learn: boolean
}

/** One reply being read: bytes in, or frames that a transport made, and events out, synchronously. */
export class Reader implements Sink<Uint8Array | object>, Audience {
  readonly progress: Progress = { done: false, finish: false, closed: false, unmatched: 0, frames: 0 }
  readonly #plan: ReadPlan
  readonly #input: ReadInput
  readonly #frames: Mapper
  #events: Event[] | undefined
  #framing: DecoderName | undefined
  #decoder: Sink<Uint8Array> | undefined
  /** Bytes that wait for the character that tells the decoder. */
  #held: Uint8Array[] = []
  #size = 0

  constructor(plan: ReadPlan, input: ReadInput) {
    this.#plan = plan
    this.#input = input
    const accumulator = new Accumulator(input.endings, this)
    const speeches = plan.split === undefined ? accumulator : split(plan.split, accumulator)
    this.#frames = new Mapper(plan, input, this.progress, speeches, () => this.#prove())
  }

  push(chunk: Uint8Array | object): void {
    if (this.over()) return
    if (!(chunk instanceof Uint8Array)) this.#frames.push(chunk)
    else if (this.#decoder === undefined) this.#choose(chunk)
    else this.#decoder.push(chunk)
  }

  end(): void {
    if (this.#decoder !== undefined) return this.#decoder.end()
    if (this.#plan.decode.name === 'none') this.#framing = 'none'
    else if (this.progress.frames === 0) throw new ModelwireError('protocol', 'the provider sent an empty reply')
    this.#frames.end()
  }

  /** The events since the last call. */
  take(): Event[] {
    const taken = this.#events
    this.#events = undefined
    return taken ?? []
  }

  /** True once the closing proof came: what follows is ignored. */
  over(): boolean {
    return this.progress.closed || this.progress.done
  }

  say(event: Event): void {
    if (this.#events === undefined) this.#events = [event]
    else this.#events.push(event)
  }

  started(): void {
    this.#input.roots.started = true
  }

  finished(): void {
    this.progress.finish = true
  }

  /** The first character that isn't space tells the decoder; until it came the bytes wait, however they were cut. */
  #choose(chunk: Uint8Array): void {
    const { limit } = this.#input
    const { name, options } = this.#plan.decode
    this.#held.push(chunk)
    this.#size += chunk.length
    const first = firstOf(chunk)
    if (first === undefined && this.#size > limit) throw tooLarge(limit)
    if (first === undefined) return
    const begun = this.#held.length === 1 ? chunk : Buffer.concat(this.#held)
    this.#held = []
    this.#framing = chooseDecoder(name, this.#input, first, begun)
    this.#decoder = decoderOf(this.#framing, options, limit, this.progress, this.#frames)
    this.#decoder.push(begun)
  }

  /** A JSON document that ended is its own proof: the decoder refuses one that is cut. Frames of this process aren't cut: who made them ends or throws. */
  #prove(): void {
    const { complete } = this.#plan
    const { done, finish, closed } = this.progress
    const framing = this.#framing
    if (framing === 'json' || framing === 'none') return
    if (complete.end && (this.#input.framed || framing === undefined)) return
    if ((complete.done && done) || (complete.finish && finish) || closed) return
    throw new ModelwireError('truncated', 'the stream ended without its closing proof; what had come is in `partial`')
  }
}

/** Runs the rules on each frame, or says at once what they would say of one whose shape is known. */
class Mapper implements FrameSink, Lessons {
  readonly roots: Roots
  readonly limit: number
  readonly memory: Memory
  readonly special: Special
  readonly next: Sink<Speech>
  readonly #plan: ReadPlan
  readonly #learn: boolean
  readonly #progress: Progress
  readonly #prove: () => void
  readonly #say = (speech: Speech): void => this.next.push(speech)

  constructor(plan: ReadPlan, input: ReadInput, progress: Progress, next: Sink<Speech>, prove: () => void) {
    this.roots = input.roots
    this.limit = input.limit
    this.memory = plan.memory
    this.special = plan.special
    this.next = next
    this.#plan = plan
    this.#learn = input.learn
    this.#progress = progress
    this.#prove = prove
  }

  push(frame: Frame): void {
    if (!this.#progress.closed) this.count(this.speak(frame, this.roots, this.#say))
  }

  text(text: string, atEnd: boolean, tag?: string): void {
    if (!this.#progress.closed) this.count(this.speak(this.#parse(text, tag, atEnd), this.roots, this.#say))
  }

  shapes(cut: Cut): Shapes | undefined {
    return this.#learn ? new Learner(this, cut) : undefined
  }

  end(): void {
    this.#prove()
    this.next.end()
  }

  speak(frame: Frame, seen: Roots, say: Say): Outcome {
    const { select, rules, complete } = this.#plan
    const selected = select === undefined ? frame : select(frame, seen)
    const matched = rules.run(selected, seen, say)
    return { matched, closed: complete.when.some((when) => when(selected)) }
  }

  revive({ text, tag }: Found): Frame {
    return this.#parse(text, tag, false)
  }

  count({ matched, closed }: Outcome): boolean {
    const progress = this.#progress
    progress.frames++
    if (!matched) progress.unmatched++
    if (closed) progress.closed = true
    return !progress.closed
  }

  #parse(text: string, tag: string | undefined, atEnd: boolean): Frame {
    const frame = parseFrame(text, this.limit, atEnd)
    const { tag: tagged } = this.#plan.decode.options
    if (tagged !== undefined && tag !== undefined && isMap(frame)) frame[tagged] ??= tag
    return frame
  }
}

function decoderOf(name: DecoderName, options: SseOptions, limit: number, progress: Progress, next: FrameSink): Sink<Uint8Array> {
  switch (name) {
    case 'sse':
      return new SseDecoder(options, limit, progress, next)
    case 'ndjson':
      return new NdjsonDecoder(limit, next)
    case 'json':
      return new JsonDecoder(limit, next)
    case 'bytes':
      return new BytesDecoder(next)
    case 'none':
      return { push: () => undefined, end: () => next.end() }
    default:
      return name satisfies never
  }
}

/** The reply decides: its Content-Type first, the manifest's `decode` when that says nothing, its first character in doubt. */
function chooseDecoder(wanted: DecoderName, input: ReadInput, first: string, start: Uint8Array): DecoderName {
  const type = (input.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if ((wanted === 'bytes' || wanted === 'none') && !type.endsWith('json')) return wanted
  if (type === 'text/html' || first === '<') throw notAnAnswer(type, start)
  const labelled = fromType(type)
  if (labelled === 'json' && wanted === 'ndjson' && input.streamed) return 'ndjson'
  const chosen = labelled ?? (wanted === 'sse' && !input.streamed ? 'json' : wanted)
  // Seen: an error body labelled text/event-stream though it is plain JSON. No event stream starts with a bracket,
  // and no JSON with a colon or the first letter of `data`, `event`, `id` or `retry`.
  if (chosen === 'sse' && labelled === undefined && !'{[:deir'.includes(first)) throw notAnAnswer(type, start)
  if (chosen === 'sse') return first === '{' || first === '[' ? 'json' : 'sse'
  return chosen === 'json' && ':deir'.includes(first) ? 'sse' : chosen
}

function fromType(type: string): DecoderName | undefined {
  if (type === 'text/event-stream') return 'sse'
  if (/^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|stream\+json)$/.test(type)) return 'ndjson'
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  return undefined
}

function head(chunk: Uint8Array, length: number): string {
  return new TextDecoder().decode(chunk.subarray(0, length))
}

/** A captive portal, a proxy's error page, a wrong address. */
function notAnAnswer(type: string, chunk: Uint8Array): ModelwireError {
  const words = head(chunk, 512)
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return new ModelwireError('protocol', `expected an API's answer, got ${type === '' ? 'a page' : type}: ${words.slice(0, 120)}`, {
    hint: 'check the base address and any proxy in between',
  })
}
