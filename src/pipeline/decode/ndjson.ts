import { latin1Between, utf8, Window } from '../bytes.ts'
import type { Cut, FrameSink, Shapes, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

const lineFeed = 0x0a

/** One JSON value a line. The last line may lack its end. A line of a known shape isn't parsed. */
export class NdjsonDecoder implements Sink<Uint8Array> {
  readonly #limit: number
  readonly #next: FrameSink
  readonly #shapes: Shapes | undefined
  readonly #decoder = new TextDecoder()
  /** Of a line whose end hasn't come. */
  #pieces: string[] = []
  #waiting = 0

  constructor(limit: number, next: FrameSink) {
    this.#limit = limit
    this.#next = next
    this.#shapes = next.shapes(cut)
  }

  push(chunk: Uint8Array): void {
    const shapes = this.#shapes
    if (shapes === undefined) return this.#parse(chunk)
    const seen = new Window(chunk)
    const { length } = chunk
    for (let at = 0; at < length;) {
      const between = this.#waiting === 0
      const begin = between ? shapes.tell(seen, at) : at
      if (begin === length) return
      const end = chunk.indexOf(lineFeed, begin) + 1
      this.#parse(chunk.subarray(begin, end === 0 ? undefined : end))
      if (end === 0) return
      if (between) shapes.study(latin1Between(chunk, begin, end))
      at = behind(shapes.unasked(), chunk, end)
      if (at > end) this.#parse(chunk.subarray(end, at))
    }
  }

  end(): void {
    this.#feed(this.#decoder.decode())
    this.#line(this.#pieces.join(''), true)
    this.#next.end()
  }

  #parse(bytes: Uint8Array): void {
    this.#feed(this.#decoder.decode(bytes, { stream: true }))
  }

  /** Pieces are joined once a line, so that a long one costs no more than its length. */
  #feed(text: string): void {
    let from = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      const piece = text.slice(from, at)
      const line = this.#waiting === 0 ? piece : this.#pieces.join('') + piece
      this.#pieces = []
      this.#waiting = 0
      this.#line(line, false)
      from = at + 1
    }
    if (from === text.length) return
    this.#pieces.push(from === 0 ? text : text.slice(from))
    this.#waiting += text.length - from
    if (this.#waiting > this.#limit) throw tooLarge(this.#limit)
  }

  #line(text: string, atEnd: boolean): void {
    const trimmed = text.trim()
    if (trimmed !== '') this.#next.text(trimmed, atEnd)
  }
}

/** Where so many lines more end, or as many as are whole here. */
function behind(count: number, bytes: Uint8Array, at: number): number {
  for (; count > 0; count--) {
    const end = bytes.indexOf(lineFeed, at) + 1
    if (end === 0) return at
    at = end
  }
  return at
}

const cut: Cut = (text) => (text.indexOf('\n') === text.length - 1 ? { text: utf8(text).trim() } : undefined)
