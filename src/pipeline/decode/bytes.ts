import { kept } from '../bytes.ts'
import type { FrameSink, Sink } from '../operator.ts'

/** Bytes as they come: each chunk is a frame (audio). */
export class BytesDecoder implements Sink<Uint8Array> {
  readonly #next: FrameSink

  constructor(next: FrameSink) {
    this.#next = next
  }

  push(chunk: Uint8Array): void {
    this.#next.push(kept(chunk))
  }

  end(): void {
    this.#next.end()
  }
}
