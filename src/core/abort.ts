import { ModelwireError } from './error.ts'
import { startTimer } from './timer.ts'

/**
 * What an aborted signal means. Our own clocks abort with the error itself; anything else is the caller's wish, and its
 * reason stays as the cause.
 */
export function abortError(signal: AbortSignal): ModelwireError {
  const reason: unknown = signal.reason
  if (reason instanceof ModelwireError) return reason
  return new ModelwireError('cancelled', 'The call was cancelled.', { cause: reason })
}

/** What `promise` gives, or the signal's error at once when it aborts first; nothing stays behind on the signal. */
export function race<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(abortError(signal))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Waits so many milliseconds, or less: an abort ends it at once with the signal's error. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal === undefined) return void startTimer(resolve, ms)
    if (signal.aborted) return reject(abortError(signal))
    const abort = (): void => {
      clearTimeout(timer)
      reject(abortError(signal))
    }
    const timer = startTimer(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}
