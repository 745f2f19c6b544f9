import { ModelwireError } from '../core/error.ts'
import type { Inflow } from '../wire/call.ts'

/** What a body needs of its connection. */
export interface Flow {
  pause(): void
  resume(): void
  /** Destroys the connection. */
  abort(reason: Error): void
}

/** Bytes come in by calls and go out when they are asked for; what waits in between is bounded by pausing the connection. */
export interface Body {
  /** Once; leaving the loop destroys the connection. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** The same without promises. */
  readonly inflow: Inflow
  push(chunk: Uint8Array): void
  end(): void
  /** What has come is still handed out first, unless the error is a wish to stop (`now`). */
  fail(error: ModelwireError, now?: boolean): void
  release(): void
}

const high = 64 * 1024 // more than this waits: pause
const low = 16 * 1024 // less than this waits: go on, so that the next read is there when it's pulled
const drainBytes = 128 * 1024
const drainMs = 1_000

/** One state machine: reading → ended | failed | left, or reading → draining → ended | left. */
export function createBody(flow: Flow, maxBytes: number, settled: () => void): Body {
  let chunks: Uint8Array[] = []
  let head = 0
  let waiting = 0
  let total = 0
  let paused = false
  let ended = false
  let opened = false
  let failure: ModelwireError | undefined
  let waked: (() => void) | undefined
  let drain: NodeJS.Timeout | undefined
  let drained = 0

  function read(): Uint8Array | undefined | null {
    const value = chunks[head]
    if (value === undefined) {
      if (failure) throw failure
      return ended ? null : undefined
    }
    head += 1
    waiting -= value.byteLength
    if (head === chunks.length) forget()
    if (paused && waiting <= low) goOn()
    return value
  }

  function wake(back: () => void): void {
    if (ended || failure || head < chunks.length) return back()
    const before = waked // one that waits already goes first
    waked = before === undefined ? back : () => (before(), back())
  }

  function take(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          const value = read()
          if (value === undefined) wake(look)
          else resolve(value === null ? nothing : { done: false, value })
        } catch (error) {
          reject(error)
        }
      }
      look()
    })
  }

  function push(chunk: Uint8Array): void {
    if (ended || failure) return
    if (drain) return drop(chunk)
    total += chunk.byteLength
    if (total > maxBytes) {
      const error = tooLarge(maxBytes)
      fail(error)
      return flow.abort(error)
    }
    chunks.push(chunk)
    waiting += chunk.byteLength
    ring()
    if (waiting > high && !paused) {
      paused = true
      flow.pause()
    }
  }

  function end(): void {
    if (ended || failure) return
    ended = true
    clearTimeout(drain)
    settled()
    ring()
  }

  function fail(error: ModelwireError, now = false): void {
    if (ended || failure) return
    failure = error
    clearTimeout(drain)
    settled()
    if (now) forget()
    ring()
  }

  function leave(): Promise<IteratorResult<Uint8Array>> {
    forget()
    if (!ended && !failure) {
      end()
      flow.abort(new Error('the reader left'))
    }
    return Promise.resolve(nothing)
  }

  function release(): void {
    if (ended || failure || drain) return
    opened = true
    settled() // the call is over: what is left to do is only for the connection's sake
    drained = waiting
    forget()
    drain = setTimeout(leave, drainMs).unref()
    if (paused) goOn()
  }

  function drop(chunk: Uint8Array): void {
    drained += chunk.byteLength
    if (drained > drainBytes) void leave()
  }

  function ring(): void {
    const back = waked
    waked = undefined
    back?.()
  }

  function forget(): void {
    chunks = []
    head = 0
    waiting = 0
  }

  function goOn(): void {
    paused = false
    flow.resume()
  }

  const bytes = {
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
      if (opened) throw new ModelwireError('invalid_request', 'The body of a reply can be read once only.')
      opened = true
      return { next: take, return: leave }
    },
  }
  return { bytes, inflow: { read, wake, leave }, push, end, fail, release }
}

export function tooLarge(maxBytes: number): ModelwireError {
  return new ModelwireError('protocol', `The reply is larger than ${maxBytes} bytes.`, {
    hint: 'Raise `limits.reply` if that is expected.',
  })
}

const nothing: IteratorResult<Uint8Array> = { done: true, value: undefined }
