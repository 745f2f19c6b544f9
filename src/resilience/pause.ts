import { sleep } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'

/** What one caller learns of a rate limit holds for all that use the same provider, key and model. */
export interface Pause {
  /** Nobody sends for so many milliseconds. */
  extend(ms: number): void
  /** Whether sending isn't allowed now. */
  holds(): boolean
  /** Resolves when sending is allowed; refuses at once when the call would be over before that. */
  wait(signal: AbortSignal | undefined, endsAt: number): Promise<void>
}

const spread = 0.1 // or all that waited would come back in the same millisecond

export function createPause(random: () => number): Pause {
  let until = 0

  return {
    extend(ms) {
      until = Math.max(until, performance.now() + ms)
    },
    holds: () => until > 0 && until > performance.now(),
    async wait(signal, endsAt) {
      // It may be extended while we wait.
      for (let left = until - performance.now(); left > 0; left = until - performance.now()) {
        if (performance.now() + left >= endsAt) throw tooLong(left)
        await sleep(left * (1 + spread * random()), signal)
      }
    },
  }
}

function tooLong(left: number): ModelwireError {
  return new ModelwireError('rate_limited', 'The provider asked for a pause that lasts longer than this call may.', {
    retryAfterMs: Math.ceil(left),
    hint: 'Wait, raise `timeout`, or use another model.',
  })
}
