import { ModelwireError } from '../core/error.ts'

/** What a body needs of its connection. */
export interface Flow {
  pause(): void
  resume(): void
  /** Destroys the connection. */
  abort(reason: Error): void
}

/** Bytes come in by calls and go out by pulls; what waits in between is bounded by pausing the connection. */
export interface Body {
  /** Once; leaving the loop destroys the connection. */
  readonly bytes: AsyncIterable<Uint8Array> & { return(): Promise<IteratorResult<Uint8Array>> }
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
  let pull: PromiseWithResolvers<IteratorResult<Uint8Array>> | undefined
  let drain: NodeJS.Timeout | undefined
  let drained = 0

  function take(): Promise<IteratorResult<Uint8Array>> {
    const value = chunks[head]
    if (value !== undefined) {
      head += 1
      waiting -= value.byteLength
      if (head === chunks.length) forget()
      if (paused && waiting <= low) goOn()
      return Promise.resolve({ done: false, value })
    }
    if (failure) return Promise.reject(failure)
    if (ended) return Promise.resolve(nothing)
    if (pull) return pull.promise.then(take) // a second pull before the first was answered waits behind it
    pull = Promise.withResolvers()
    return pull.promise
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
    if (pull) return answer({ done: false, value: chunk })
    chunks.push(chunk)
    waiting += chunk.byteLength
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
    if (pull) answer(nothing)
  }

  function fail(error: ModelwireError, now = false): void {
    if (ended || failure) return
    failure = error
    clearTimeout(drain)
    settled()
    if (now) forget()
    const waiter = pull
    pull = undefined
    waiter?.reject(error)
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

  function answer(result: IteratorResult<Uint8Array>): void {
    const waiter = pull
    pull = undefined
    waiter?.resolve(result)
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
    return: leave,
  }
  return { bytes, push, end, fail, release }
}

export function tooLarge(maxBytes: number): ModelwireError {
  return new ModelwireError('protocol', `The reply is larger than ${maxBytes} bytes.`, {
    hint: 'Raise `limits.reply` if that is expected.',
  })
}

const nothing: IteratorResult<Uint8Array> = { done: true, value: undefined }
