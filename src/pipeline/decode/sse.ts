import { createRequire } from 'node:module'
import type { FrameSink, Progress, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

export interface SseOptions {
  /** The data that ends the stream (`[DONE]`). */
  until?: string
  /** The key under which a frame gets the event's name. */
  tag?: string
}

const require = createRequire(import.meta.url)

/** Server-sent events whose data is JSON. Lines may end in LF, CR or CRLF; an event cut off by the end still counts if it parses. */
export function sse(options: SseOptions, limit: number, progress: Progress): (next: FrameSink) => Sink<Uint8Array> {
  return (next) => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true }) // the parser takes it away, and would take a second one too
    let ending = false
    const { createParser } = require('eventsource-parser') as typeof import('eventsource-parser') // with the first stream: 3 ms
    const parser = createParser({
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
    return {
      push(chunk) {
        const text = decoder.decode(chunk, { stream: true })
        if (text !== '') parser.feed(text)
      },
      end() {
        ending = true
        parser.feed(`${decoder.decode()}\n\n`)
        next.end()
      },
    }
  }
}

/** Nothing, or empty lines: some servers keep a connection awake so. */
function isBlank(data: string): boolean {
  return data === '' || (data.charCodeAt(0) <= 0x20 && data.trim() === '')
}
