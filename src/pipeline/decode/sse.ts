import { createRequire } from 'node:module'
import type { EventSourceParser } from 'eventsource-parser'
import { kept, latin1Between, utf8, Window } from '../bytes.ts'
import type { Cut, Found, FrameSink, Progress, Shapes, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

export interface SseOptions {
  /** The data that ends the stream (`[DONE]`). */
  until?: string
  /** The key under which a frame gets the event's name. */
  tag?: string
}

const require = createRequire(import.meta.url)

const lineFeed = 0x0a
/** Bytes of an event that wait for its rest. */
const mostBegun = 4_096

/** It takes 3 ms to load, so it does with the first stream. */
const library = (): typeof import('eventsource-parser') => require('eventsource-parser') as typeof import('eventsource-parser')

/**
 * Server-sent events whose data is JSON. Lines may end in LF, CR or CRLF; an event cut off by the end still counts if it parses.
 * What begins with an event of a known shape isn't parsed.
 */
export class SseDecoder implements Sink<Uint8Array> {
  readonly #next: FrameSink
  readonly #shapes: Shapes | undefined
  readonly #progress: Progress
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // the parser takes it away, and would take a second one too
  readonly #parser: EventSourceParser
  #ending = false
  #between = true // whether what comes next begins an event
  /** The beginning of an event whose rest hasn't come: whole it may be of a known shape. */
  #begun: Uint8Array | undefined

  constructor(options: SseOptions, limit: number, progress: Progress, next: FrameSink) {
    this.#next = next
    this.#shapes = next.shapes(cut)
    this.#progress = progress
    this.#parser = library().createParser({
      maxBufferSize: limit,
      onEvent: ({ event, data }) => {
        if (progress.done || progress.closed || isBlank(data)) return
        if (data === options.until) progress.done = true
        else next.text(data, this.#ending, event)
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') throw tooLarge(limit)
      },
    })
  }

  push(chunk: Uint8Array): void {
    const shapes = this.#shapes
    if (shapes === undefined) return this.#parse(chunk)
    this.#read(shapes, chunk, this.#begun === undefined ? 0 : this.#complete(shapes, this.#begun, chunk))
  }

  /** Reads the event that began before this chunk, as one; gives where it ends here. */
  #complete(shapes: Shapes, begun: Uint8Array, chunk: Uint8Array): number {
    this.#begun = undefined
    const head = new Events(chunk, 0, Math.min(chunk.length, mostBegun))
    const end = head.mixed ? -1 : begun.at(-1) === lineFeed && chunk[0] === lineFeed ? 1 : head.endOf(0)
    if (end < 0) {
      this.#parse(begun)
      this.#between = false
      return 0
    }
    const whole = Buffer.concat([begun, chunk.subarray(0, end)])
    const told = shapes.tell(new Window(whole), 0)
    if (told < whole.length) this.#parse(whole.subarray(told))
    return end
  }

  #read(shapes: Shapes, chunk: Uint8Array, from: number): void {
    const seen = new Window(chunk)
    const { length } = chunk
    let events: Events | undefined
    for (let at = from; at < length && !this.#progress.done && !this.#progress.closed;) {
      const begin = this.#between ? shapes.tell(seen, at) : at
      if (begin === length) return
      events ??= new Events(chunk, begin, length) // mostly only the last, which is cut
      const end = events.endOf(begin)
      if (end < 0 && this.#between && !events.mixed && length - begin <= mostBegun) {
        this.#begun = kept(chunk.subarray(begin))
        return
      }
      this.#parse(chunk.subarray(begin, end < 0 ? undefined : end))
      if (end < 0) {
        this.#between = false
        return
      }
      if (this.#between) shapes.study(events.slice(begin, end))
      this.#between = true
      at = events.behind(shapes.unasked(), end)
      if (at > end) this.#parse(chunk.subarray(end, at))
    }
  }

  end(): void {
    this.#ending = true
    if (this.#begun !== undefined) this.#parse(this.#begun)
    this.#parser.feed(`${this.#decoder.decode()}\n\n`)
    this.#next.end()
  }

  #parse(bytes: Uint8Array): void {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text !== '') this.#parser.feed(text)
  }
}

const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))/g

/** The part of a chunk that isn't known by its shape, cut into events. Places are those of the chunk. */
export class Events {
  /** Whether there are CRs. */
  readonly mixed: boolean
  readonly #text: string
  readonly #from: number

  constructor(chunk: Uint8Array, from: number, to: number) {
    this.#text = latin1Between(chunk, from, to)
    this.#from = from
    this.mixed = this.#text.includes('\r')
  }

  /** Where the event ends that begins at `at`, behind its blank line; -1 when that isn't sure to be here. */
  endOf(at: number): number {
    const from = this.#from
    if (!this.mixed) {
      const end = this.#text.indexOf('\n\n', at - from)
      return end < 0 ? -1 : from + end + 2
    }
    blankLine.lastIndex = at - from
    const found = blankLine.exec(this.#text)
    return found === null ? -1 : from + found.index + found[0].length
  }

  /** Where so many events more end, or as many as are whole here. */
  behind(count: number, at: number): number {
    for (; count > 0; count--) {
      const end = this.endOf(at)
      if (end < 0) return at
      at = end
    }
    return at
  }

  slice(start: number, end: number): string {
    return this.#text.slice(start - this.#from, end - this.#from)
  }
}

const cut: Cut = (text) => {
  const found: Found[] = []
  const parser = library().createParser({ onEvent: ({ event, data }) => void found.push({ text: data, tag: event }) })
  parser.feed(utf8(text))
  return found.length === 1 ? found[0] : undefined
}

/** Nothing, or empty lines: some servers keep a connection awake so. */
function isBlank(data: string): boolean {
  return data === '' || (data.charCodeAt(0) <= 0x20 && data.trim() === '')
}
