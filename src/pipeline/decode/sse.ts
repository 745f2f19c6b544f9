import { createRequire } from 'node:module'
import { utf8, windowOf } from '../bytes.ts'
import type { Cut, FrameSink, Progress, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

export interface SseOptions {
  /** The data that ends the stream (`[DONE]`). */
  until?: string
  /** The key under which a frame gets the event's name. */
  tag?: string
}

const require = createRequire(import.meta.url)

/** It takes 3 ms to load, so it does with the first stream. */
const library = (): typeof import('eventsource-parser') => require('eventsource-parser') as typeof import('eventsource-parser')

/**
 * Server-sent events whose data is JSON. Lines may end in LF, CR or CRLF; an event cut off by the end still counts if it parses.
 * What begins with an event of a known shape isn't parsed.
 */
export function sse(options: SseOptions, limit: number, progress: Progress): (next: FrameSink) => Sink<Uint8Array> {
  return (next) => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // the parser takes it away, and would take a second one too
    const shapes = next.shapes(cut)
    let ending = false
    let between = true // whether what comes next begins an event
    const parser = library().createParser({
      maxBufferSize: limit,
      onEvent({ event, data }) {
        if (progress.done || progress.closed || isBlank(data)) return
        if (data === options.until) {
          progress.done = true
          return
        }
        next.text(data, ending, event)
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') throw tooLarge(limit)
      },
    })

    const parse = (bytes: Uint8Array): void => {
      const text = decoder.decode(bytes, { stream: true })
      if (text !== '') parser.feed(text)
    }

    return {
      push(chunk) {
        if (shapes === undefined) return parse(chunk)
        const seen = windowOf(chunk)
        const { text } = seen
        const mixed = text.includes('\r')
        for (let at = 0; at < text.length && !progress.done && !progress.closed;) {
          const begin = between ? shapes.tell(seen, at) : at
          if (begin === text.length) return
          const end = endOfEvent(text, begin, mixed)
          parse(chunk.subarray(begin, end < 0 ? undefined : end))
          if (end < 0) {
            between = false
            return
          }
          if (between) shapes.study(text.slice(begin, end))
          between = true
          at = behind(shapes.unasked(), text, end, mixed)
          if (at > end) parse(chunk.subarray(end, at))
        }
      },
      end() {
        ending = true
        parser.feed(`${decoder.decode()}\n\n`)
        next.end()
      },
    }
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
  const found: { text: string; tag?: string | undefined }[] = []
  const parser = library().createParser({ onEvent: ({ event, data }) => void found.push({ text: data, tag: event }) })
  parser.feed(utf8(text))
  return found.length === 1 ? found[0] : undefined
}

/** Nothing, or empty lines: some servers keep a connection awake so. */
function isBlank(data: string): boolean {
  return data === '' || (data.charCodeAt(0) <= 0x20 && data.trim() === '')
}
