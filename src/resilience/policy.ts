import type { RetryOptions } from '../core/request.ts'
import { createBudget } from './budget.ts'
import type { Budget } from './budget.ts'
import { straight } from './layer.ts'
import type { Attempt, Layer } from './layer.ts'
import { createPause } from './pause.ts'
import { retrying } from './retry.ts'

export interface PolicyOptions {
  /** For calls that don't say; false for one attempt. */
  retry?: RetryOptions | false
  /** Shared by all policies of one provider. */
  budget?: Budget
  /** Around the whole call: how many run at once. */
  limit?: Layer
  /** Around each attempt: whether the provider is worth asking at all. */
  breaker?: Layer
  /** From 0 up to 1, for jitter. */
  random?: () => number
}

export interface RunOptions {
  retry?: RetryOptions | false | undefined
  /** When the call has to be over, by performance.now(), all attempts and waits included. */
  endsAt?: number | undefined
}

/** How calls to one provider, with one key, for one model are made: they share what a rate limit said. */
export interface Policy {
  /** Fails with the last attempt's error; `attempts` says how many were made. */
  run<T>(attempt: Attempt<T>, signal: AbortSignal | undefined, options?: RunOptions): Promise<T>
}

export function createPolicy(options: PolicyOptions = {}): Policy {
  const { random = Math.random, budget = createBudget(), limit = straight, breaker = straight } = options
  const pause = createPause(random)

  return {
    run(attempt, signal, { retry = options.retry ?? {}, endsAt = Infinity } = {}) {
      const input = { rules: retry, pause, budget, random, endsAt }
      const once = breaker(attempt)
      return limit((_, inner) => retrying(once, inner, input))(1, signal)
    },
  }
}
