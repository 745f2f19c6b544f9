import { race } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'

/** Something that holds its place until it is over: a stream does so until its last event. */
export interface Holding {
  readonly over: Promise<void>
  close(): Promise<void>
}

/** Runs so many at once and lets so many wait; one more is refused at once. */
export type Limit = <T extends Holding>(open: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>

/** The place is held by cockatiel's bulkhead, which loads with the first call that is limited. */
export function createLimit(inflight: number, queue: number): Limit {
  let gate: Promise<Gate> | undefined
  let ready: Gate | undefined // importing again costs ten microseconds
  return async <T extends Holding>(open: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
    ready ??= await (gate ??= openGate(inflight, queue))
    const { bulkhead, BulkheadRejectedError, TaskCancelledError } = ready
    const opened = Promise.withResolvers<T>()
    const held = bulkhead.execute(async () => {
      try {
        const live = await open()
        if (signal?.aborted === true) return await live.close() // nobody waits for it any more
        opened.resolve(live)
        await live.over
      } catch (error) {
        opened.reject(error)
      }
    }, signal)
    held.catch((error: unknown) => {
      // A cancelled one has been answered by the race below.
      if (error instanceof BulkheadRejectedError) opened.reject(full(inflight, queue))
      else if (!(error instanceof TaskCancelledError)) opened.reject(error)
    })
    return signal === undefined ? opened.promise : race(opened.promise, signal)
  }
}

type Gate = Pick<typeof import('cockatiel'), 'BulkheadRejectedError' | 'TaskCancelledError'> & {
  bulkhead: import('cockatiel').BulkheadPolicy
}

async function openGate(inflight: number, queue: number): Promise<Gate> {
  const { bulkhead, BulkheadRejectedError, TaskCancelledError } = await import('cockatiel')
  return { bulkhead: bulkhead(inflight, queue), BulkheadRejectedError, TaskCancelledError }
}

function full(inflight: number, queue: number): ModelwireError {
  return new ModelwireError('overloaded', `${inflight} calls are in flight and ${queue} are waiting: no more are taken`, {
    hint: 'wait, or raise `limits: { inflight, queue }`',
  })
}
