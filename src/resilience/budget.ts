/** How much load retries may add to one provider, of all callers: a dead one gets a fifth more at most. */
export interface Budget {
  /** Whether one more retry may be made; it is paid for with the answer. */
  take(afterTimeout: boolean): boolean
  /** A call went well: something is earned back. */
  earn(): void
}

const capacity = 500
const cost = 5
const timeoutCost = 10 // a call that hangs has held a place for long already
const freeRetries = 10
const freeWindowMs = 10_000

/** Source: the retry quota of the AWS SDKs, with some free retries so that a rarely used provider always has them. */
export function createBudget(now: () => number = () => performance.now()): Budget {
  let tokens = capacity
  let windowStart = -Infinity
  let used = 0

  return {
    take(afterTimeout) {
      const time = now()
      if (time - windowStart >= freeWindowMs) {
        windowStart = time
        used = 0
      }
      if (used < freeRetries) {
        used += 1
        return true
      }
      const price = afterTimeout ? timeoutCost : cost
      if (tokens < price) return false
      tokens -= price
      return true
    },
    earn() {
      if (tokens < capacity) tokens += 1
    },
  }
}
