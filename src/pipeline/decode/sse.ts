import { createRequire } from 'node:module'
import type { EventSourceParser } from 'eventsource-parser'
import { kept, utf8, Window } from '../bytes.ts'
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
    const seen = new Window(chunk)
    this.#read(shapes, seen, this.#begun === undefined ? 0 : this.#complete(shapes, this.#begun, seen))
  }

  /** Reads the event that began before this chunk, as one; gives where it ends here. */
  #complete(shapes: Shapes, begun: Uint8Array, { bytes, text }: Window): number {
    this.#begun = undefined
    const mixed = text.includes('\r')
    const end = mixed ? -1 : begun.at(-1) === lineFeed && bytes[0] === lineFeed ? 1 : endOfEvent(text, 0, mixed)
    if (end < 0) {
      this.#parse(begun)
      this.#between = false
      return 0
    }
    const whole = Buffer.concat([begun, bytes.subarray(0, end)])
    const told = shapes.tell(new Window(whole), 0)
    if (told < whole.length) this.#parse(whole.subarray(told))
    return end
  }

  #read(shapes: Shapes, seen: Window, from: number): void {
    const { bytes } = seen
    const { length } = bytes
    let mixed: boolean | undefined
    for (let at = from; at < length && !this.#progress.done && !this.#progress.closed;) {
      const begin = this.#between ? shapes.tell(seen, at) : at
      if (begin === length) return
      const { text } = seen
      mixed ??= text.includes('\r')
      const end = endOfEvent(text, begin, mixed)
      if (end < 0 && this.#between && !mixed && length - begin <= mostBegun) {
        this.#begun = kept(bytes.subarray(begin))
        return
      }
      this.#parse(bytes.subarray(begin, end < 0 ? undefined : end))
      if (end < 0) {
        this.#between = false
        return
      }
      if (this.#between) shapes.study(text.slice(begin, end))
      this.#between = true
      at = behind(shapes.unasked(), text, end, mixed)
      if (at > end) this.#parse(bytes.subarray(end, at))
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

/** Where the event ends that begins at `at`, behind its blank line; -1 when that isn't sure to be here. `mixed`: there are CRs. */
function endOfEvent(text: string, at: number, mixed: boolean): number {
  if (!mixed) {
    const end = text.indexOf('\n\n', at)
    return end < 0 ? -1 : end + 2
  }
  blankLine.lastIndex = at
  const found = blankLine.exec(text)
  return found === null ? -1 : found.index + found[0].length
}

/** Where so many events more end, or as many as are whole here. */
function behind(count: number, text: string, at: number, mixed: boolean): number {
  for (; count > 0 && at < text.length; count--) {
    const end = endOfEvent(text, at, mixed)
    if (end < 0) return at
    at = end
  }
  return at
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
