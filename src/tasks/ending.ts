import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import { startTimer } from '../core/timer.ts'

/** One signal for all that may end a task early, and what takes clock and listener away again. */
export interface Ending {
  signal: AbortSignal
  stop: () => void
}

/** `own` is the caller's signal, `timeout` milliseconds from now. */
export function createEnding(controller: AbortController, own: AbortSignal | undefined, timeout: number | undefined): Ending {
  const late = (): void =>
    controller.abort(new ModelwireError('timeout', `The task took longer than ${timeout ?? 0} ms.`, { phase: 'total' }))
  const timer = timeout === undefined ? undefined : startTimer(late, timeout)
  const abort = (): void => controller.abort(own === undefined ? undefined : abortError(own))
  if (own?.aborted === true) abort()
  own?.addEventListener('abort', abort, { once: true })
  const stop = (): void => {
    clearTimeout(timer)
    own?.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, stop }
}
