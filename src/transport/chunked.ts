/** Takes the data of a body, lent until it returns. */
export interface DataSink {
  data(bytes: Uint8Array): void
}

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b
const mostDigits = 13 // of a size: what has more is beyond the whole numbers
const mostExtra = 16 * 1024 // bytes of a size's extension, and of all trailers

type Part = 'size' | 'extension' | 'line' | 'data' | 'cr' | 'lf' | 'trailers' | 'trailer' | 'trailerLine' | 'end'

/** Undoes the chunked coding of a body (RFC 9112, 7.1), however it is cut. Extensions and trailers are passed by. */
export class ChunkedDecoder {
  /** Whether the last chunk and its trailers have come. */
  ended = false
  /** What the next byte belongs to. */
  #part: Part = 'size'
  /** Bytes of the chunk that are still to come; its size, as far as it has been read. */
  #left = 0
  #digits = 0
  #extra = 0

  /** Goes through `bytes` from `at` to `end` and says where the body ended, or where they did; -1 when they aren't chunks. */
  decode(bytes: Uint8Array, at: number, end: number, sink: DataSink): number {
    while (at < end) {
      if (this.#part === 'data') {
        const stop = Math.min(end, at + this.#left)
        this.#left -= stop - at
        if (this.#left === 0) this.#part = 'cr'
        sink.data(bytes.subarray(at, stop))
        at = stop
      } else if (!this.#take(bytes[at++])) return -1
      else if (this.ended) return at
    }
    return at
  }

  /** Takes a byte around the data; false when it can't stand there. */
  #take(byte: number | undefined): boolean {
    switch (this.#part) {
      case 'size':
        return this.#digit(byte)
      case 'extension':
        return byte === cr ? this.#next('line') : this.#pass(byte)
      case 'line':
        this.#digits = 0
        this.#extra = 0
        return byte === lf && this.#next(this.#left === 0 ? 'trailers' : 'data')
      case 'cr':
        return byte === cr && this.#next('lf')
      case 'lf':
        return byte === lf && this.#next('size')
      case 'trailers':
        return byte === cr ? this.#next('end') : this.#next('trailer') && this.#pass(byte)
      case 'trailer':
        return byte === cr ? this.#next('trailerLine') : this.#pass(byte)
      case 'trailerLine':
        return byte === lf && this.#next('trailers')
      case 'end':
        return (this.ended = byte === lf)
      case 'data':
        return false // isn't taken byte by byte
    }
  }

  #digit(byte: number | undefined): boolean {
    const digit = digitOf(byte)
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit
      return ++this.#digits <= mostDigits
    }
    if (this.#digits === 0) return false
    return byte === cr ? this.#next('line') : byte === semicolon && this.#next('extension')
  }

  #pass(byte: number | undefined): boolean {
    return byte !== lf && ++this.#extra <= mostExtra
  }

  #next(part: Part): true {
    this.#part = part
    return true
  }
}

function digitOf(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
