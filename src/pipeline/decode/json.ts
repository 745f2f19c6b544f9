import { ModelwireError } from '../../core/error.ts'
import { kept, utf8Of } from '../bytes.ts'
import type { FrameSink, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

/** A JSON document: one frame, given at the end. Several documents after each other are several frames. */
export class JsonDecoder implements Sink<Uint8Array> {
  readonly #limit: number
  readonly #next: FrameSink
  readonly #pieces: Uint8Array[] = []
  #size = 0

  constructor(limit: number, next: FrameSink) {
    this.#limit = limit
    this.#next = next
  }

  push(chunk: Uint8Array): void {
    this.#pieces.push(kept(chunk))
    this.#size += chunk.length
    if (this.#size > this.#limit) throw tooLarge(this.#limit)
  }

  end(): void {
    const text = utf8Of(this.#pieces)
    const value = parseWhole(text)
    if (value !== undefined) this.#next.push(value)
    else {
      const rest = scanner(this.#limit, (item) => this.#next.text(item, false))
      rest.feed(text)
      rest.end()
    }
    this.#next.end()
  }
}

/** A JSON list at the top, whose items are frames as they close: some stream so (Gemini without `alt=sse`). */
export class JsonListDecoder implements Sink<Uint8Array> {
  readonly #next: FrameSink
  readonly #decoder = new TextDecoder()
  readonly #scan: Scanner

  constructor(limit: number, next: FrameSink) {
    this.#next = next
    this.#scan = scanner(limit, (item) => next.text(item, false))
  }

  push(chunk: Uint8Array): void {
    this.#scan.feed(this.#decoder.decode(chunk, { stream: true }))
  }

  end(): void {
    this.#scan.feed(this.#decoder.decode())
    this.#scan.end()
    this.#next.end()
  }
}

/** Undefined for what isn't one document; the scanner then says what it is. */
function parseWhole(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

interface Scanner {
  feed(text: string): void
  end(): void
}

/** Cuts a text of JSON into the values at its top level, or at the top level of its array. Only strings and brackets matter. */
function scanner(limit: number, say: (item: string) => void): Scanner {
  const pending: string[] = []
  let size = 0
  let depth = 0
  let inArray = false
  let closed = false
  let inString = false
  let escaped = false
  let inValue = false

  const emit = (piece: string): void => {
    const text = pending.length === 0 ? piece : pending.join('') + piece
    pending.length = size = 0
    inValue = false
    if (text.trim() !== '') say(text)
  }

  const feed = (text: string): void => {
    let from = inValue ? 0 : -1
    for (let at = 0; at < text.length; at++) {
      const char = text[at] ?? ''
      if (inString) {
        if (escaped) escaped = false
        else if (char === '\\') escaped = true
        else if (char === '"') inString = false
        continue
      }
      if (!inValue) {
        if (' \t\r\n,'.includes(char)) continue
        if (char === '[' && depth === 0 && !inArray) {
          inArray = true
          closed = false
          continue
        }
        if (char === ']' && inArray) {
          inArray = false
          closed = true
          continue
        }
        inValue = true
        from = at
      } else if (depth === 0 && (char === ',' || (char === ']' && inArray) || (char === '\n' && !inArray))) {
        emit(text.slice(from, at))
        from = -1
        if (char === ']') {
          inArray = false
          closed = true
        }
        continue
      }
      if (char === '"') inString = true
      else if (char === '{' || char === '[') depth++
      else if ((char === '}' || char === ']') && --depth === 0) {
        emit(text.slice(from, at + 1))
        from = -1
      }
    }
    if (!inValue || from < 0) return
    pending.push(text.slice(from))
    size += text.length - from
    if (size > limit) throw tooLarge(limit)
  }

  return {
    feed,
    end() {
      if (inString || depth > 0 || (inArray && !closed))
        throw new ModelwireError('truncated', 'the reply ended in the middle of its JSON')
      if (inValue) emit('')
    },
  }
}
