import { sleep } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { RetryOptions } from '../core/request.ts'
import type { Budget } from './budget.ts'
import type { Attempt } from './layer.ts'
import type { Pause } from './pause.ts'

export interface RetryInput {
  rules: RetryOptions | false
  pause: Pause
  budget: Budget
  random: () => number
  /** When the call has to be over, by performance.now(). */
  endsAt: number
}

const longestWait = 60_000 // who asks for more is told so: the caller can fall back, or come again

/**
 * Runs the attempt until it succeeds, fails for good, or isn't worth another try. A loop of our own rather than
 * cockatiel's `retry`: there an abort doesn't end the back-off, and a wait can't be refused for being too long.
 */
export async function retrying<T>(attempt: Attempt<T>, signal: AbortSignal | undefined, input: RetryInput): Promise<T> {
  const { pause, budget, endsAt } = input
  for (let n = 1; ; n += 1) {
    try {
      if (pause.holds()) await pause.wait(signal, endsAt)
    } catch (error) {
      throw counted(error, n - 1)
    }
    try {
      const result = await attempt(n, signal)
      budget.earn()
      return result
    } catch (error) {
      if (!(error instanceof ModelwireError)) throw error
      const wait = waitAfter(error, n, input)
      if (wait === undefined) throw error.add({ attempts: n })
      await sleep(wait, signal).catch((aborted: unknown) => {
        throw counted(aborted, n)
      })
    }
  }
}

/** Milliseconds to wait before the next attempt; nothing if there is to be none. */
function waitAfter(error: ModelwireError, n: number, { rules, pause, budget, random, endsAt }: RetryInput): number | undefined {
  const { attempts = 3, base = 500, max = 20_000 } = rules === false ? { attempts: 1 } : rules
  const crowded = error.kind === 'rate_limited' || (error.kind === 'overloaded' && error.status !== 503)
  const backoff = random() * Math.min(max, (crowded ? 2 * base : base) * 2 ** (n - 1))
  const { retryAfterMs = 0 } = error
  if (error.kind === 'rate_limited') hold(pause, retryAfterMs, backoff)
  if (!error.retryable || n >= attempts) return undefined
  const wait = Math.max(retryAfterMs, backoff)
  if (retryAfterMs > longestWait || performance.now() + wait >= endsAt) return undefined
  return budget.take(error.kind === 'timeout') ? wait : undefined
}

/** A wait that is too long to sit out holds nobody back either: each caller hears it from the provider. */
function hold(pause: Pause, asked: number, backoff: number): void {
  const wait = Math.max(asked, backoff)
  if (wait <= longestWait) pause.extend(wait)
}

function counted(error: unknown, attempts: number): unknown {
  return error instanceof ModelwireError ? error.add({ attempts }) : error
}

/** What a status alone says about sending the same again; nothing where the body decides (409: a lock, or a conflict). */
export function retryableStatus(status: number): boolean | undefined {
  if (status === 409) return undefined
  return again.has(status)
}

const again = new Set([408, 425, 429, 500, 502, 503, 504, 529])
