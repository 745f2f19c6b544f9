import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { Accumulator, type Audience } from './accumulate.ts'
import { kept } from './bytes.ts'
import { BytesDecoder } from './decode/bytes.ts'
import { tooLarge } from './decode/frame.ts'
import { JsonDecoder, JsonListDecoder } from './decode/json.ts'
import { NdjsonDecoder } from './decode/ndjson.ts'
import { SseDecoder } from './decode/sse.ts'
import { Mapper } from './mapper.ts'
import type { Progress, Sink } from './operator.ts'
import type { DecoderName, ReadInput, ReadPlan } from './plan.ts'
import { split } from './split.ts'

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
    const first = firstOf(chunk)
    this.#held.push(first === undefined ? kept(chunk) : chunk)
    this.#size += chunk.length
    if (first === undefined && this.#size > limit) throw tooLarge(limit)
    if (first === undefined) return
    const begun = this.#held.length === 1 ? chunk : Buffer.concat(this.#held)
    this.#held = []
    this.#framing = chooseDecoder(this.#plan.decode.name, this.#input, first, begun)
    this.#decoder = this.#decoderOf(this.#framing, first)
    this.#decoder.push(begun)
  }

  #decoderOf(name: DecoderName, first: string): Sink<Uint8Array> {
    const { limit } = this.#input
    const next = this.#frames
    switch (name) {
      case 'sse':
        return new SseDecoder(this.#plan.decode.options, limit, this.progress, next)
      case 'ndjson':
        return new NdjsonDecoder(limit, next)
      case 'json':
        return first === '[' ? new JsonListDecoder(limit, next) : new JsonDecoder(limit, next)
      case 'bytes':
        return new BytesDecoder(next)
      case 'none':
        return { push: () => undefined, end: () => next.end() }
      default:
        return name satisfies never
    }
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
