import { utf8, windowOf } from '../bytes.ts'
import type { Cut, FrameSink, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

/** One JSON value a line. The last line may lack its end. A line of a known shape isn't parsed. */
export function ndjson(limit: number): (next: FrameSink) => Sink<Uint8Array> {
  return (next) => {
    const decoder = new TextDecoder()
    const shapes = next.shapes(cut)
    const pending: string[] = []
    let waiting = 0

    const line = (text: string, atEnd: boolean): void => {
      const trimmed = text.trim()
      if (trimmed !== '') next.text(trimmed, atEnd)
    }

    /** Pieces are joined once a line, so that a long one costs no more than its length. */
    const feed = (text: string): void => {
      let from = 0
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
        const piece = text.slice(from, at)
        line(pending.length === 0 ? piece : pending.join('') + piece, false)
        pending.length = waiting = 0
        from = at + 1
      }
      if (from === text.length) return
      pending.push(from === 0 ? text : text.slice(from))
      waiting += text.length - from
      if (waiting > limit) throw tooLarge(limit)
    }

    const parse = (bytes: Uint8Array): void => feed(decoder.decode(bytes, { stream: true }))

    return {
      push(chunk) {
        if (shapes === undefined) return parse(chunk)
        const seen = windowOf(chunk)
        const { text } = seen
        for (let at = 0; at < text.length;) {
          const between = waiting === 0
          const begin = between ? shapes.tell(seen, at) : at
          if (begin === text.length) return
          const end = text.indexOf('\n', begin) + 1
          parse(chunk.subarray(begin, end === 0 ? undefined : end))
          if (end === 0) return
          if (between) shapes.study(text.slice(begin, end))
          at = behind(shapes.unasked(), text, end)
          if (at > end) parse(chunk.subarray(end, at))
        }
      },
      end() {
        feed(decoder.decode())
        line(pending.join(''), true)
        next.end()
      },
    }
  }
}

/** Where so many lines more end, or as many as are whole here. */
function behind(count: number, text: string, at: number): number {
  for (; count > 0; count--) {
    const end = text.indexOf('\n', at) + 1
    if (end === 0) return at
    at = end
  }
  return at
}

const cut: Cut = (text) => (text.indexOf('\n') === text.length - 1 ? { text: utf8(text).trim() } : undefined)
