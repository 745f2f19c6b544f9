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
    return { [Symbol.asyncIterator]: () => new Batches(this.#read()) }
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

/** What a consumer pulls, one wait at a time. What a wait needs is made once, for all of them. */
abstract class Pulled<R, T> implements AsyncIterator<T>, AsyncIterable<T> {
  readonly #call: Reading<R>
  #waiting: Promise<IteratorResult<T>> | undefined
  #answered = false
  #resolve: (result: IteratorResult<T>) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined

  constructor(call: Reading<R>) {
    this.#call = call
  }

  /** What is there already. */
  protected abstract kept(): T | undefined
  /** What is made of the next events; there is at least one. */
  protected abstract made(events: Event[]): T

  next(): Promise<IteratorResult<T>> {
    const value = this.kept()
    if (value !== undefined) return Promise.resolve({ done: false, value })
    const before = this.#waiting
    if (before === undefined) return this.#wait()
    // A second pull before the first was answered waits behind it.
    const again = (): Promise<IteratorResult<T>> => {
      if (this.#waiting === before) this.#waiting = undefined
      return this.next()
    }
    return before.then(again, again)
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#call.leave()
    return end
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wait(): Promise<IteratorResult<T>> {
    this.#answered = false
    const promise = new Promise(this.#begin)
    this.#look()
    if (!this.#answered) this.#waiting = promise
    return promise
  }

  readonly #begin = (resolve: (result: IteratorResult<T>) => void, reject: (error: unknown) => void): void => {
    this.#resolve = resolve
    this.#reject = reject
  }

  readonly #look = (): void => {
    try {
      const events = this.#call.read()
      if (events === undefined) this.#end()
      else if (events.length === 0) this.#call.wake(this.#look)
      else this.#answer(this.made(events))
    } catch (error) {
      this.#reject(error)
    }
  }

  #answer(value: T): void {
    this.#answered = true
    this.#waiting = undefined
    this.#resolve({ done: false, value })
  }

  #end(): void {
    const [resolve, reject] = [this.#resolve, this.#reject]
    this.#call.ended().then(() => resolve(end), reject)
  }
}

class Batches<R> extends Pulled<R, Event[]> {
  protected kept(): undefined {
    return undefined
  }

  protected made(events: Event[]): Event[] {
    return events
  }
}

/** Events one by one. Those that are there already cost one resolved promise each. */
class Events<R> extends Pulled<R, Event> {
  #batch: Event[] = []
  #at = 0

  protected kept(): Event | undefined {
    return this.#at < this.#batch.length ? this.#batch[this.#at++] : undefined
  }

  protected made(events: Event[]): Event {
    this.#batch = events
    this.#at = 1
    return events[0] as Event // never none
  }

  override return(): Promise<IteratorResult<Event>> {
    this.#batch = []
    return super.return()
  }
}

async function* textOf(events: AsyncIterable<Event>): AsyncGenerator<string, void, undefined> {
  for await (const event of events) {
    if (event.type === 'text' && event.delta !== '' && (event.choice ?? 0) === 0) yield event.delta
  }
}
