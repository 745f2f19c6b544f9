import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Fold } from '../core/fold.ts'
import { createOnce } from '../core/once.ts'
import type { ChatResult, Warning } from '../core/result.ts'
import type { Live } from './exchange.ts'

/**
 * A streamed call. Nothing is sent before it is iterated or its result is asked for. It can be read once, as events, as
 * `batches()`, as `text` or by `each`; leaving the loop closes the connection.
 */
export interface Stream<R = ChatResult> extends AsyncIterable<Event> {
  /** The fold of all events; drives the stream if nobody iterates. Rejects with what the iteration threw. */
  readonly result: Promise<R>
  /** The text alone. */
  readonly text: AsyncIterable<string>
  /** Arrays of events, one a network read: for who wants more speed. */
  batches(): AsyncIterable<Event[]>
  /**
   * Calls back with such arrays in the very moment in which they come: for who wants the last bit. A promise that is given
   * back is waited for, and meanwhile nothing is read; an error that is thrown closes the connection. Resolves with the result.
   */
  each(take: (events: Event[]) => void | Promise<void>): Promise<R>
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
  #outcome: Outcome<R> | undefined

  constructor(source: StreamSource<R>) {
    this.#source = source
  }

  get result(): Promise<R> {
    return (this.#result ??= this.#ask())
  }

  get text(): AsyncIterable<string> {
    return { [Symbol.asyncIterator]: () => textOf(new Events(this.#read())) }
  }

  batches(): AsyncIterable<Event[]> {
    return { [Symbol.asyncIterator]: () => batchesOf(this.#read()) }
  }

  each(take: (events: Event[]) => void | Promise<void>): Promise<R> {
    const call = this.#read()
    return new Promise((resolve, reject) => {
      const leave = (error: unknown): void => void call.leave().then(() => reject(error), reject)
      const go = (): void => {
        try {
          for (;;) {
            const events = call.read()
            if (events === undefined) return void call.ended().then(() => resolve(this.result), reject)
            if (events.length === 0) return call.wake(go)
            const taken = take(events)
            if (taken instanceof Promise) return void taken.then(go, leave)
          }
        } catch (error) {
          leave(error)
        }
      }
      go()
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Event> {
    return new Events(this.#read())
  }

  #read(): Reading<R> {
    this.#once.take()
    return new Reading(this.#source, (outcome) => {
      this.#outcome ??= outcome
      if (this.#settle !== undefined) deliver(this.#outcome, this.#settle)
    })
  }

  #ask(): Promise<R> {
    const promise = new Promise<R>((resolve, reject) => (this.#settle = { resolve, reject }))
    if (this.#outcome !== undefined && this.#settle !== undefined) deliver(this.#outcome, this.#settle)
    // Whoever asks for the result and then iterates in the same turn gets both; else the result drives the stream.
    else queueMicrotask(() => void (this.#once.taken() || drain(this.#read())))
    return promise
  }
}

export function createStream<R>(source: StreamSource<R>): Stream<R> {
  return new EventStream(source)
}

type Outcome<R> = { result: R } | { error: unknown }

function deliver<R>(outcome: Outcome<R>, settle: { resolve: (result: R) => void; reject: (error: unknown) => void }): void {
  if ('error' in outcome) settle.reject(outcome.error)
  else settle.resolve(outcome.result)
}

async function drain<R>(call: Reading<R>): Promise<void> {
  const batches = batchesOf(call)
  try {
    while ((await batches.next()).done !== true);
  } catch {
    // The error went to `result`, which is what was asked for.
  }
}

/** A call as it is read: sent when first waited for, folded as it comes. Whoever reads has it first, and then how it ended. */
class Reading<R> {
  readonly #source: StreamSource<R>
  readonly #conclude: (outcome: Outcome<R>) => void
  readonly #left = new AbortController()
  #opening: Promise<void> | undefined
  #refused: { error: unknown } | undefined
  #live: Live | undefined
  #begun = false
  #over = false

  constructor(source: StreamSource<R>, conclude: (outcome: Outcome<R>) => void) {
    this.#source = source
    this.#conclude = conclude
  }

  /** The next events; none when nothing is there yet, undefined at the end, which `ended` then concludes. Throws what broke the call. */
  read(): Event[] | undefined {
    if (this.#over) return undefined
    if (this.#refused !== undefined) throw this.#failed(this.#refused.error)
    const live = this.#live
    if (live === undefined) return []
    const events = this.#taken(live)
    if (events?.length === 0) return events
    live.heard?.events(events)
    if (events === undefined) return undefined
    if (!this.#begun) addWarnings(events, this.#source.warnings)
    this.#begun = true
    for (const event of events) this.#source.fold.push(event)
    return events
  }

  /** Calls back, once, when `read` has something to say. */
  wake(back: () => void): void {
    if (this.#over) back()
    else if (this.#live !== undefined) this.#live.wake(back)
    else void (this.#opening ??= this.#open()).then(back)
  }

  async ended(): Promise<void> {
    if (this.#over) return
    this.#over = true
    try {
      this.#conclude({ result: await this.#source.finish() })
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async leave(): Promise<void> {
    if (this.#over) return
    this.#over = true
    const error = new ModelwireError('cancelled', 'The consumer left the stream before its end.', {
      partial: this.#source.partial(),
    })
    this.#conclude({ error })
    this.#left.abort(error)
    await this.#live?.close()
  }

  async #open(): Promise<void> {
    try {
      const live = await this.#source.open(this.#left.signal)
      if (this.#over) await live.close() // the consumer left in the very moment when it was opened
      else this.#live = live
    } catch (error) {
      this.#refused = { error }
    }
  }

  #taken(live: Live): Event[] | undefined {
    try {
      return live.take()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  #failed(error: unknown): unknown {
    this.#over = true
    this.#live?.heard?.failed(error)
    if (this.#live !== undefined && error instanceof ModelwireError && error.partial === undefined)
      error.add({ partial: this.#source.partial() })
    this.#conclude({ error })
    return error
  }
}

function addWarnings(batch: Event[], warnings: readonly Warning[]): void {
  const at = batch[0]?.type === 'start' ? 1 : 0
  batch.splice(at, 0, ...warnings.map((warning): Event => ({ type: 'warning', ...warning })))
}

const end: IteratorResult<never> = { done: true, value: undefined }

/** Waits for the next events, and gives what is made of them. */
function next<R, T>(call: Reading<R>, made: (events: Event[]) => T): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      try {
        const events = call.read()
        if (events === undefined) call.ended().then(() => resolve(end), reject)
        else if (events.length === 0) call.wake(look)
        else resolve({ done: false, value: made(events) })
      } catch (error) {
        reject(error)
      }
    }
    look()
  })
}

function batchesOf<R>(call: Reading<R>): AsyncIterator<Event[]> {
  return {
    next: () => next(call, (events) => events),
    return: async () => {
      await call.leave()
      return end
    },
  }
}

/** Events one by one. Those that are there already cost one resolved promise each. */
class Events<R> implements AsyncIterator<Event>, AsyncIterable<Event> {
  readonly #call: Reading<R>
  #batch: Event[] = []
  #at = 0
  #waiting: Promise<IteratorResult<Event>> | undefined

  constructor(call: Reading<R>) {
    this.#call = call
  }

  next(): Promise<IteratorResult<Event>> {
    const event = this.#batch[this.#at]
    if (event !== undefined) {
      this.#at++
      return Promise.resolve({ done: false, value: event })
    }
    const before = this.#waiting
    if (before === undefined) return (this.#waiting = next(this.#call, (events) => this.#begin(events)))
    // A second pull before the first was answered waits behind it.
    const again = (): Promise<IteratorResult<Event>> => {
      if (this.#waiting === before) this.#waiting = undefined
      return this.next()
    }
    return before.then(again, again)
  }

  async return(): Promise<IteratorResult<Event>> {
    this.#batch = []
    await this.#call.leave()
    return end
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #begin(events: Event[]): Event {
    this.#waiting = undefined
    this.#batch = events
    this.#at = 1
    return events[0] as Event // never none
  }
}

async function* textOf(events: AsyncIterable<Event>): AsyncGenerator<string, void, undefined> {
  for await (const event of events) {
    if (event.type === 'text' && event.delta !== '' && (event.choice ?? 0) === 0) yield event.delta
  }
}
