import type { FrameSink, Sink } from '../operator.ts'
import { tooLarge } from './frame.ts'

/** One JSON value a line. The last line may lack its end. */
export function ndjson(limit: number): (next: FrameSink) => Sink<Uint8Array> {
  return (next) => {
    const decoder = new TextDecoder()
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

    return {
      push: (chunk) => feed(decoder.decode(chunk, { stream: true })),
      end() {
        feed(decoder.decode())
        line(pending.join(''), true)
        next.end()
      },
    }
  }
}
