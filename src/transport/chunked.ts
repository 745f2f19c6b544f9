/** Takes the data of chunks, lent until it returns. */
export interface ChunkSink {
  push(data: Uint8Array): void
}

const cr = 0x0d
const lf = 0x0a
const mostDigits = 6 // a chunk of 16 MB

/**
 * Undoes the chunked coding of a body (RFC 9112, 7.1) where it is plain: sizes without extensions, in one piece, and not the
 * last chunk. All else is left to the parser, which then goes on between two chunks, as if the others had never been.
 */
export class ChunkedDecoder {
  /** Whether the parser has been left behind, between two chunks. */
  past = false
  /** Bytes of a chunk that are still to come. */
  #left = 0
  /** Bytes of the line end behind it that are still to come. */
  #tail = 0

  /** Whether a chunk's size comes next. */
  between(): boolean {
    return this.#left === 0 && this.#tail === 0
  }

  /** Goes through `bytes` from `at` to `end`, and says where it stopped: at `end`, or where the size stands that is for the parser; -1 when a chunk isn't followed by a line end. */
  decode(bytes: Uint8Array, at: number, end: number, sink?: ChunkSink): number {
    for (;;) {
      const stop = Math.min(end, at + this.#left)
      if (stop > at) {
        this.#left -= stop - at
        this.#tail = 2
        sink?.push(bytes.subarray(at, stop))
        if (this.#left > 0) return end
      }
      at = stop
      for (; this.#tail > 0; this.#tail--, at++) {
        if (at === end) return end
        if (bytes[at] !== (this.#tail === 2 ? cr : lf)) return -1
      }
      if (at === end) return end
      const line = at
      let size = 0
      for (let digit = digitOf(bytes[at]); digit >= 0 && at < end; digit = digitOf(bytes[++at])) size = size * 16 + digit
      if (size === 0 || at - line > mostDigits || at + 2 > end || bytes[at] !== cr || bytes[at + 1] !== lf) return line
      at += 2
      this.#left = size
    }
  }
}

function digitOf(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
