import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Pattern } from '../lang/pattern.ts'
import { type Eval, isMap, type Roots } from '../lang/value.ts'
import { accumulate, type Endings } from './accumulate.ts'
import { bytes } from './decode/bytes.ts'
import { parseFrame, tooLarge } from './decode/frame.ts'
import { json } from './decode/json.ts'
import { ndjson } from './decode/ndjson.ts'
import { sse, type SseOptions } from './decode/sse.ts'
import { createLearner, type Lessons, type Memory } from './learn.ts'
import type { Frame, FrameSink, Progress, Sink } from './operator.ts'
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
export interface Reader extends Sink<Uint8Array | object> {
  /** The events since the last call. */
  take(): Event[]
  readonly progress: Progress
  /** True once the closing proof came: what follows is ignored. */
  over(): boolean
}

export function createReader(plan: ReadPlan, input: ReadInput): Reader {
  const progress: Progress = { done: false, finish: false, closed: false, unmatched: 0, frames: 0 }
  let events: Event[] = []
  let framing: DecoderName | undefined

  const out: Sink<Event> = { push: (event) => void events.push(event), end: () => undefined }
  const { roots } = input
  const accumulated = accumulate(input.endings, out, {
    start: () => void (roots.started = true),
    finish: () => void (progress.finish = true),
  })
  const speeches = plan.split === undefined ? accumulated : split(plan.split, accumulated)
  const frames = map(plan, input, progress, {
    push: (speech) => speeches.push(speech),
    end() {
      prove(plan.complete, progress, framing, input.framed)
      speeches.end()
    },
  })
  let decoder: Sink<Uint8Array> | undefined
  const held: Uint8Array[] = []
  let size = 0

  /** The first character that isn't space tells the decoder; until it came the bytes wait, however they were cut. */
  const start = (chunk: Uint8Array): void => {
    held.push(chunk)
    size += chunk.length
    const first = firstOf(chunk)
    if (first === undefined && size > input.limit) throw tooLarge(input.limit)
    if (first === undefined) return
    const begun = held.length === 1 ? chunk : Buffer.concat(held)
    framing = chooseDecoder(plan.decode.name, input, first, begun)
    decoder = decoderOf(framing, plan.decode.options, input.limit, progress)(frames)
    decoder.push(begun)
  }

  return {
    push(chunk) {
      if (progress.closed || progress.done) return
      if (!(chunk instanceof Uint8Array)) frames.push(chunk)
      else if (decoder === undefined) start(chunk)
      else decoder.push(chunk)
    },
    end() {
      if (decoder !== undefined) return decoder.end()
      if (plan.decode.name === 'none') framing = 'none'
      else if (progress.frames === 0) throw new ModelwireError('protocol', 'the provider sent an empty reply')
      frames.end()
    },
    take() {
      const taken = events
      events = []
      return taken
    },
    progress,
    over: () => progress.closed || progress.done,
  }
}

/** Runs the rules on each frame, or says at once what they would say of one whose shape is known. */
function map(plan: ReadPlan, input: ReadInput, progress: Progress, next: Sink<Speech>): FrameSink {
  const { rules, select, complete } = plan
  const { roots, limit } = input
  const { tag: tagged } = plan.decode.options
  const [closing, ...others] = complete.when
  const say = (speech: Speech): void => next.push(speech)

  const speak: Lessons['speak'] = (frame, seen, hear) => {
    const selected = select === undefined ? frame : select(frame, seen)
    const matched = rules.run(selected, seen, hear)
    return { matched, closed: closing !== undefined && (closing(selected) || others.some((when) => when(selected))) }
  }
  const revive = (text: string, tag: string | undefined, atEnd = false): Frame => {
    const frame = parseFrame(text, limit, atEnd)
    if (tagged !== undefined && tag !== undefined && isMap(frame)) frame[tagged] ??= tag
    return frame
  }
  const count = ({ matched, closed }: Outcome): boolean => {
    progress.frames++
    if (!matched) progress.unmatched++
    if (closed) progress.closed = true
    return !progress.closed
  }

  return {
    push(frame) {
      if (!progress.closed) count(speak(frame, roots, say))
    },
    text(text, atEnd, event) {
      if (!progress.closed) count(speak(revive(text, event, atEnd), roots, say))
    },
    shapes(cut) {
      if (!input.learn) return undefined
      const found = (text: string): Frame => {
        const frame = cut(text)
        if (frame === undefined) throw new ModelwireError('protocol', 'not one frame')
        return revive(frame.text, frame.tag)
      }
      return createLearner({ speak, roots, special: plan.special, say, revive: found, count, limit, memory: plan.memory })
    },
    end: () => next.end(),
  }
}

/** A JSON document that ended is its own proof: the decoder refuses one that is cut. Frames of this process aren't cut: who made them ends or throws. */
function prove(complete: Completion, progress: Progress, framing: DecoderName | undefined, framed: boolean): void {
  if (framing === 'json' || framing === 'none' || (complete.end && (framed || framing === undefined))) return
  if ((complete.done && progress.done) || (complete.finish && progress.finish) || progress.closed) return
  throw new ModelwireError('truncated', 'the stream ended without its closing proof; what had come is in `partial`')
}

function decoderOf(
  name: DecoderName,
  options: SseOptions,
  limit: number,
  progress: Progress,
): (next: FrameSink) => Sink<Uint8Array> {
  switch (name) {
    case 'sse':
      return sse(options, limit, progress)
    case 'ndjson':
      return ndjson(limit)
    case 'json':
      return json(limit)
    case 'bytes':
      return bytes()
    case 'none':
      return (next) => ({ push: () => undefined, end: () => next.end() })
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

/** The first character, right where it is of ASCII, which is all that is asked; nothing where there is only space and a byte order mark. */
function firstOf(chunk: Uint8Array): string | undefined {
  const code = chunk.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
  return code === undefined ? undefined : String.fromCharCode(code)
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
