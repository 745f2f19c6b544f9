import { abortError } from '../../core/abort.ts'
import { ModelwireError } from '../../core/error.ts'
import type { Sequence, Token } from './binding.ts'

/** The sequences of a model, each of which writes one answer at a time, and the queue before them. */
export interface Lanes {
  /** Waits for a sequence: first come, first served. Refuses with `overloaded` when too many wait. */
  take(tokens: Token[], signal: AbortSignal): Promise<Sequence>
  give(sequence: Sequence): void
  readonly active: number
  readonly waiting: number
}

interface Waiter {
  tokens: Token[]
  resolve: (sequence: Sequence) => void
}

/**
 * A sequence keeps what it has read. A call gets the free one that shares the longest beginning with its prompt, so a
 * conversation that goes on is read from where it stopped; one that shares nothing gets the one that was idle longest.
 */
export function createLanes(sequences: readonly Sequence[], queue: number): Lanes {
  // The least recently used first.
  const free = [...sequences]
  const waiters: Waiter[] = []

  function best(tokens: Token[]): Sequence | undefined {
    let found = 0
    let longest = 0
    for (const [index, sequence] of free.entries()) {
      const shared = sequence.compareContextTokens(tokens).firstDifferentIndex
      // Half of what it holds must be of use: a common system prompt alone is no reason to drop a conversation.
      if (shared > longest && shared * 2 >= sequence.nextTokenIndex) {
        longest = shared
        found = index
      }
    }
    return free.splice(found, 1)[0]
  }

  return {
    take(tokens, signal) {
      if (signal.aborted) return Promise.reject(abortError(signal))
      const sequence = best(tokens)
      if (sequence !== undefined) return Promise.resolve(sequence)
      if (waiters.length >= queue) return Promise.reject(full(sequences.length, queue))
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiters.splice(waiters.indexOf(waiter), 1)
          reject(abortError(signal))
        }
        const waiter: Waiter = {
          tokens,
          resolve(given) {
            signal.removeEventListener('abort', leave)
            resolve(given)
          },
        }
        waiters.push(waiter)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    give(sequence) {
      free.push(sequence)
      const next = waiters.shift()
      if (next === undefined) return
      const given = best(next.tokens)
      if (given !== undefined) next.resolve(given)
    },
    get active() {
      return sequences.length - free.length
    },
    get waiting() {
      return waiters.length
    },
  }
}

function full(count: number, queue: number): ModelwireError {
  return new ModelwireError('overloaded', `${count} answers are being written and ${queue} calls wait: no more are taken`, {
    hint: 'wait, or load the model with more `sequences` or a longer `queue`',
  })
}
