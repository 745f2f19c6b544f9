import { abortError } from '../core/abort.ts'
import type { Reply } from '../wire/call.ts'

/** Where an engine puts what it makes. */
export type Emit = (frame: object) => void

/**
 * A reply whose frames an engine in this process makes: `work` runs until all is said, and hears by its signal when nobody
 * listens any more. It isn't held back by a slow reader: what it makes is bounded by the model's context.
 */
export function frameReply(work: (emit: Emit, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Reply {
  const left = new AbortController()
  return {
    status: 200,
    headers: {},
    body: { [Symbol.asyncIterator]: () => frames(work, AbortSignal.any([signal, left.signal]), left) },
    release: () => undefined,
  }
}

function frames(
  work: (emit: Emit, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
  left: AbortController,
): AsyncIterator<object> {
  let waiting: PromiseWithResolvers<void> | undefined
  let made: object[] = []
  let at = 0
  let over = false
  let failure: { error: unknown } | undefined

  const wake = (): void => {
    waiting?.resolve()
    waiting = undefined
  }
  const emit: Emit = (frame) => {
    made.push(frame)
    wake()
  }
  const end = (error?: { error: unknown }): void => {
    over = true
    failure = error
    wake()
  }
  let running: Promise<void> | undefined
  const run = (): Promise<void> =>
    work(emit, signal).then(
      () => end(),
      (error: unknown) => end({ error: signal.aborted ? abortError(signal) : error }),
    )

  return {
    async next() {
      running ??= run()
      for (;;) {
        const frame = made[at]
        if (frame !== undefined) {
          at += 1
          if (at === made.length) {
            made = []
            at = 0
          }
          return { done: false, value: frame }
        }
        if (failure !== undefined) throw failure.error
        if (over) return { done: true, value: undefined }
        waiting = Promise.withResolvers()
        await waiting.promise
      }
    },
    /** Waits until the engine has let go of what it held: who closes a call may count on it. */
    async return() {
      left.abort(new Error('the reader left'))
      await running
      return { done: true, value: undefined }
    },
  }
}
