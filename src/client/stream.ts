import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Fold } from '../core/fold.ts'
import { createOnce } from '../core/once.ts'
import type { ChatResult, Warning } from '../core/result.ts'
import type { Live } from './exchange.ts'

/**
 * A streamed call. Nothing is sent before it is iterated or its result is asked for. It can be iterated once, as events, as
 * `batches()` or as `text`; leaving the loop closes the connection.
 */
export interface Stream<R = ChatResult> extends AsyncIterable<Event> {
  /** The fold of all events; drives the stream if nobody iterates. Rejects with what the iteration threw. */
  readonly result: Promise<R>
  /** The text alone. */
  readonly text: AsyncIterable<string>
  /** Arrays of events, one a network read: for who wants the last bit of speed. */
  batches(): AsyncIterable<Event[]>
}

export interface StreamSource<R> {
  /** Sends the call and waits for the first content, unless the consumer leaves meanwhile. */
  open(left: AbortSignal): Promise<Live>
  fold: Fold
  warnings: readonly Warning[]
  /** The result when all has come, checked against the request's `output`. */
  finish(): Promise<R>
  /** What had come so far, where that is an answer. */
  partial(): ChatResult | undefined
}

/** A class, because of its getters: on an object of its own each would tie the call to a hidden class, and keep it until a full collection. */
class EventStream<R> implements Stream<R> {
  readonly #source: StreamSource<R>
  readonly #once = createOnce()
  #result: Promise<R> | undefined
  #settle: { resolve: (result: R) => void; reject: (error: unknown) => void } | undefined
  #outcome: { result: R } | { error: unknown } | undefined

  constructor(source: StreamSource<R>) {
    this.#source = source
  }

  get result(): Promise<R> {
    return (this.#result ??= this.#ask())
  }

  get text(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => textOf(flatten(this.#pull())) }
  }

  batches(): AsyncIterable<Event[]> {
    return { [Symbol.asyncIterator]: () => this.#pull() }
  }

  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return flatten(this.#pull())
  }

  #pull(): AsyncIterator<Event[]> {
    this.#once.take()
    return pull(this.#source, (outcome) => {
      this.#outcome ??= outcome
      if (this.#settle !== undefined) deliver(this.#outcome, this.#settle)
    })
  }

  #ask(): Promise<R> {
    const promise = new Promise<R>((resolve, reject) => (this.#settle = { resolve, reject }))
    if (this.#outcome !== undefined && this.#settle !== undefined) deliver(this.#outcome, this.#settle)
    // Whoever asks for the result and then iterates in the same turn gets both; else the result drives the stream.
    else queueMicrotask(() => void (this.#once.taken() || drain(this.#pull())))
    return promise
  }
}

export function createStream<R>(source: StreamSource<R>): Stream<R> {
  return new EventStream(source)
}

function deliver<R>(
  outcome: { result: R } | { error: unknown },
  settle: { resolve: (result: R) => void; reject: (error: unknown) => void },
): void {
  if ('error' in outcome) settle.reject(outcome.error)
  else settle.resolve(outcome.result)
}

async function drain(batches: AsyncIterator<Event[]>): Promise<void> {
  try {
    while ((await batches.next()).done !== true);
  } catch {
    // The error went to `result`, which is what was asked for.
  }
}

/** The one asynchronous edge: a batch a network read, folded on its way out. */
function pull<R>(source: StreamSource<R>, conclude: (outcome: { result: R } | { error: unknown }) => void): AsyncIterator<Event[]> {
  const left = new AbortController()
  let live: Live | undefined
  let over = false

  const fail = (error: unknown): never => {
    over = true
    live?.heard?.failed(error)
    if (live !== undefined && error instanceof ModelwireError && error.partial === undefined)
      error.add({ partial: source.partial() })
    conclude({ error })
    throw error
  }

  const first = async (): Promise<Live> => {
    const opened = await source.open(left.signal)
    if (!left.signal.aborted) return opened
    await opened.close() // the consumer left in the very moment when it was opened
    throw abortError(left.signal)
  }

  const next = async (): Promise<IteratorResult<Event[]>> => {
    if (over) return { done: true, value: undefined }
    try {
      const opening = live === undefined
      live ??= await first()
      for (;;) {
        const batch = await live.next()
        live.heard?.events(batch)
        if (batch === undefined) break
        if (batch.length === 0) continue
        if (opening) addWarnings(batch, source.warnings)
        for (const event of batch) source.fold.push(event)
        return { done: false, value: batch }
      }
      over = true
      conclude({ result: await source.finish() })
      return { done: true, value: undefined }
    } catch (error) {
      // Who left has been told why; a pull that was still waiting just ends.
      return left.signal.aborted ? { done: true, value: undefined } : fail(error)
    }
  }

  const leave = async (): Promise<IteratorResult<Event[]>> => {
    if (!over) {
      over = true
      const error = new ModelwireError('cancelled', 'The consumer left the stream before its end.', { partial: source.partial() })
      conclude({ error })
      left.abort(error)
      await live?.close()
    }
    return { done: true, value: undefined }
  }

  return { next, return: leave }
}

function addWarnings(batch: Event[], warnings: readonly Warning[]): void {
  const at = batch[0]?.type === 'start' ? 1 : 0
  batch.splice(at, 0, ...warnings.map((warning): Event => ({ type: 'warning', ...warning })))
}

/** Events one by one. Those that are there already cost one resolved promise each. */
function flatten(batches: AsyncIterator<Event[]>): AsyncIterator<Event> & AsyncIterable<Event> {
  let batch: Event[] = []
  let at = 0
  const take = ({ done, value }: IteratorResult<Event[]>): IteratorResult<Event> => {
    if (done === true) return { done: true, value: undefined }
    batch = value
    at = 1
    return { done: false, value: value[0] as Event } // a batch is never empty
  }
  const iterator: AsyncIterator<Event> & AsyncIterable<Event> = {
    next() {
      const event = batch[at]
      if (event === undefined) return batches.next().then(take)
      at++
      return Promise.resolve({ done: false, value: event })
    },
    async return() {
      batch = []
      await batches.return?.()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}

async function* textOf(events: AsyncIterable<Event>): AsyncGenerator<string, void, undefined> {
  for await (const event of events) {
    if (event.type === 'text' && event.delta !== '' && (event.choice ?? 0) === 0) yield event.delta
  }
}
