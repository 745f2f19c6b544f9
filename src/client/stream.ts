import type { Event } from '../core/event.ts'
import { createOnce } from '../core/once.ts'
import type { ChatResult } from '../core/result.ts'
import { type Outcome, Reading, type StreamSource } from './reading.ts'

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

  async each(take: (events: Event[]) => void | Promise<void>): Promise<R> {
    const call = this.#read()
    try {
      await handOver(call, take)
    } catch (error) {
      await call.leave()
      throw error
    }
    await call.ended()
    return this.result
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

function deliver<R>(outcome: Outcome<R>, settle: { resolve: (result: R) => void; reject: (error: unknown) => void }): void {
  if ('error' in outcome) settle.reject(outcome.error)
  else settle.resolve(outcome.result)
}

async function drain<R>(call: Reading<R>): Promise<void> {
  try {
    await handOver(call, () => undefined)
    await call.ended()
  } catch {
    // The error went to `result`, which is what was asked for.
  }
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

/** Hands all events over as they come, up to the end. */
function handOver<R>(call: Reading<R>, take: (events: Event[]) => void | Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      try {
        for (;;) {
          const events = call.read()
          if (events === undefined) return resolve()
          if (events.length === 0) return call.wake(look)
          const taken = take(events)
          if (taken instanceof Promise) return void taken.then(look, reject)
        }
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
    if (before === undefined) return this.#pull()
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

  #pull(): Promise<IteratorResult<Event>> {
    const read = this.#batch
    const pulled = next(this.#call, (events) => this.#begin(events))
    if (this.#batch === read) this.#waiting = pulled // else they were there already
    return pulled
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
