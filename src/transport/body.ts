import { ModelwireError } from '../core/error.ts'
import type { Inflow } from '../wire/call.ts'
import type { DataSink } from './chunked.ts'
import { owned } from './lent.ts'
import type { Flow } from './pool.ts'

const high = 64 * 1024 // more than this waits: pause
const low = 16 * 1024 // less than this waits: go on, so that the next read is there when it's pulled
const drainBytes = 128 * 1024
const drainMs = 1_000
const momentMs = 50
const mostSlots = 64

/**
 * Bytes come in by calls and go out when they are asked for, with promises (iterated) or without (`read`, `wake`); what waits
 * in between is bounded by pausing the connection. What somebody waits for is handed on as it was lent; only what has to wait is
 * copied. One state machine: reading → ended | failed | left, or reading → draining → ended | left. It can be iterated once; leaving the loop destroys the connection.
 */
export class Body implements Inflow, DataSink, AsyncIterable<Uint8Array> {
  readonly #flow: Flow
  readonly #maxBytes: number
  readonly #settled: () => void
  /** A queue: those from `head` on wait, up to `filled`. Its memory is used again. */
  #chunks: (Uint8Array | undefined)[] = []
  #head = 0
  #filled = 0
  #waiting = 0
  #total = 0
  #paused = false
  #ended = false
  #opened = false
  #failure: ModelwireError | undefined
  #waked: (() => void) | undefined
  #drain: NodeJS.Timeout | undefined
  #drained = 0

  constructor(flow: Flow, maxBytes: number, settled: () => void) {
    this.#flow = flow
    this.#maxBytes = maxBytes
    this.#settled = settled
  }

  read(): Uint8Array | undefined | null {
    const value = this.#chunks[this.#head]
    if (value === undefined) {
      if (this.#failure) throw this.#failure
      return this.#ended ? null : undefined
    }
    this.#chunks[this.#head++] = undefined
    this.#waiting -= value.byteLength
    if (this.#head === this.#filled) this.#forget()
    if (this.#paused && this.#waiting <= low) this.#goOn()
    return value
  }

  wake(back: () => void): void {
    if (this.#ended || this.#failure || this.#head < this.#filled) return back()
    const before = this.#waked // one that waits already goes first
    this.#waked = before === undefined ? back : () => (before(), back())
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#opened) throw new ModelwireError('invalid_request', 'The body of a reply can be read once only.')
    this.#opened = true
    return { next: () => this.#take(), return: () => this.leave() }
  }

  data(chunk: Uint8Array): void {
    if (this.#ended || this.#failure) return
    if (this.#drain) return this.#drop(chunk)
    this.#total += chunk.byteLength
    if (this.#total > this.#maxBytes) {
      const error = tooLarge(this.#maxBytes)
      this.fail(error)
      return this.#flow.abort()
    }
    const slot = this.#filled++
    this.#chunks[slot] = chunk
    this.#waiting += chunk.byteLength
    this.#ring()
    if (this.#chunks[slot] === chunk) this.#chunks[slot] = owned(chunk) // nobody took it at once
    if (this.#waiting > high && !this.#paused) {
      this.#paused = true
      this.#flow.pause()
    }
  }

  end(): void {
    if (this.#ended || this.#failure) return
    this.#ended = true
    this.#paused = false // the connection is somebody else's now
    clearTimeout(this.#drain)
    this.#settled()
    this.#ring()
  }

  /** What has come is still handed out first, unless the error is a wish to stop (`now`). */
  fail(error: ModelwireError, now = false): void {
    if (this.#ended || this.#failure) return
    this.#failure = error
    this.#paused = false
    clearTimeout(this.#drain)
    this.#settled()
    if (now) this.#forget()
    this.#ring()
  }

  leave(): Promise<IteratorResult<Uint8Array>> {
    this.#forget()
    if (!this.#ended && !this.#failure) {
      this.end()
      this.#flow.abort()
    }
    return Promise.resolve(nothing)
  }

  /** What is left is only read for the connection's sake, when it isn't much. Resolves at its end, or after a moment. */
  release(): Promise<void> | undefined {
    if (this.#ended || this.#failure || this.#drain) return undefined
    this.#opened = true
    this.#settled()
    this.#drained = this.#waiting
    this.#forget()
    this.#drain = setTimeout(() => void this.leave(), drainMs).unref()
    if (this.#paused) this.#goOn()
    return new Promise((resolve) => {
      const moment = setTimeout(resolve, momentMs)
      this.wake(() => {
        clearTimeout(moment)
        resolve()
      })
    })
  }

  #take(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          const value = this.read()
          if (value === undefined) this.wake(look)
          else resolve(value === null ? nothing : { done: false, value: owned(value) })
        } catch (error) {
          reject(error)
        }
      }
      look()
    })
  }

  #drop(chunk: Uint8Array): void {
    this.#drained += chunk.byteLength
    if (this.#drained > drainBytes) void this.leave()
  }

  #ring(): void {
    const back = this.#waked
    this.#waked = undefined
    back?.()
  }

  #forget(): void {
    if (this.#head < this.#filled || this.#filled > mostSlots) this.#chunks = []
    this.#head = 0
    this.#filled = 0
    this.#waiting = 0
  }

  #goOn(): void {
    this.#paused = false
    this.#flow.resume()
  }
}

export function tooLarge(maxBytes: number): ModelwireError {
  return new ModelwireError('protocol', `The reply is larger than ${maxBytes} bytes.`, {
    hint: 'Raise `limits.reply` if that is expected.',
  })
}

const nothing: IteratorResult<Uint8Array> = { done: true, value: undefined }
