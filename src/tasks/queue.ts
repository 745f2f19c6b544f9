import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'

/** Lets so many through at once; of those that wait, the one with the highest priority goes first. */
export interface Queue {
  /** Resolves when it is one's turn, with what ends the turn. Throws `overloaded` when too many wait. */
  enter(priority: number, signal: AbortSignal): Promise<() => void>
  /** Throws what `enter` would throw when too many wait. */
  expectRoom(): void
  readonly running: number
  readonly waiting: number
}

interface Waiting {
  rank: number
  start: () => void
}

/**
 * A step of priority overtakes at most so many that came before; whoever has waited longer is served, however many more
 * important ones keep coming.
 */
const overtakes = 1_000

export function createQueue(concurrency: number, bound: number): Queue {
  const line: Waiting[] = []
  let running = 0
  let arrived = 0

  /** Behind all that have the same rank or a lower one, so that those of one priority stay in their order. */
  const insert = (entry: Waiting): void => {
    let low = 0
    let high = line.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((line[middle]?.rank ?? 0) <= entry.rank) low = middle + 1
      else high = middle
    }
    line.splice(low, 0, entry)
  }

  const leave = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      running--
      line.shift()?.start()
    }
  }

  const expectRoom = (): void => {
    if (running >= concurrency && line.length >= bound) throw full(concurrency, bound)
  }

  const enter = async (priority: number, signal: AbortSignal): Promise<() => void> => {
    if (signal.aborted) throw abortError(signal)
    const rank = arrived++ - priority * overtakes
    if (running < concurrency) {
      running++
      return leave()
    }
    expectRoom()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        line.splice(line.indexOf(entry), 1)
        reject(abortError(signal))
      }
      const entry: Waiting = {
        rank,
        start: () => {
          signal.removeEventListener('abort', abort)
          running++
          resolve(leave())
        },
      }
      signal.addEventListener('abort', abort, { once: true })
      insert(entry)
    })
  }

  return {
    enter,
    expectRoom,
    get running() {
      return running
    },
    get waiting() {
      return line.length
    },
  }
}

function full(concurrency: number, bound: number): ModelwireError {
  return new ModelwireError('overloaded', `${concurrency} tasks are running and ${bound} are waiting: no more are taken`, {
    hint: 'wait, or raise `tasks: { concurrency, queue }`',
  })
}
