import type { Event, UsageEvent } from '../core/event.ts'
import type { Reader } from '../pipeline/read.ts'
import type { Clocks } from '../resilience/timeout.ts'
import type { Inflow, Reply } from '../wire/call.ts'
import { inflowOf } from '../wire/inflow.ts'

/** Who wants to know how a reply goes on. */
export interface Heard {
  /** What it cost, right before the end. */
  counted(usage: UsageEvent): void
  /** All has come, and was taken. */
  ended(): void
  /** Told by who reads. */
  failed(error: unknown): void
  /** It was closed, at its end or before. */
  left(): void
}

const nothing: Event[] = []

/** A reply as it is read. */
export class Live {
  readonly headers: Record<string, string>
  /** Hears how it goes on. */
  heard: Heard | undefined
  /** Resolves when nothing more will come, by its end, its failure or `close`. */
  readonly over: Promise<void>
  readonly #reply: Reply
  readonly #inflow: Inflow
  readonly #reader: Reader
  readonly #clocks: Clocks
  readonly #failed: (error: unknown) => unknown
  readonly #end: () => void
  #ended = false
  #broken: { error: unknown } | undefined
  /** What came before it was committed. */
  #held: Event[][] | undefined

  constructor(reply: Reply, reader: Reader, clocks: Clocks, failed: (error: unknown) => unknown) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.headers = reply.headers
    this.over = promise
    this.#reply = reply
    this.#inflow = inflowOf(reply)
    this.#reader = reader
    this.#clocks = clocks
    this.#failed = failed
    this.#end = resolve
  }

  /** Waits for the first content of a stream, or for all of a whole reply: until then it can all be done again. */
  async commit(streamed: boolean): Promise<void> {
    const held: Event[][] = []
    for (let batch = this.#next(); batch !== undefined; batch = this.#next()) {
      if (batch.length === 0) await woken(this)
      else held.push(batch)
      if (streamed && held.length > 0) break
    }
    this.#held = held.length > 0 ? held : undefined
    this.#clocks.committed()
  }

  /** The events of one read; none when nothing is there yet, undefined at the end. After a failure it first gives what came before it, then throws. */
  take(): Event[] | undefined {
    const events = this.#held === undefined ? this.#next() : this.#heldBack(this.#held)
    const last = events?.at(-1)
    if (last?.type === 'usage') this.heard?.counted(last)
    if (events === undefined) this.heard?.ended()
    return events
  }

  /** Calls back, once, when `take` has something to say. */
  wake(back: () => void): void {
    if (this.#ended) return back()
    this.#clocks.waiting()
    this.#inflow.wake(back)
  }

  /** Closes the connection and stops the clocks. */
  async close(): Promise<void> {
    this.heard?.left()
    if (this.#ended) return
    this.#finish()
    await this.#inflow.leave()
  }

  #heldBack(held: Event[][]): Event[] | undefined {
    if (held.length === 1) this.#held = undefined
    return held.shift()
  }

  #next(): Event[] | undefined {
    let events = nothing
    try {
      while (events.length === 0 && this.#step()) events = this.#reader.take()
    } catch (error) {
      this.#broken = { error: this.#failed(error) }
      this.#finish()
      this.#inflow.leave().catch(() => undefined) // what went wrong first is what is told
      events = this.#reader.take()
    }
    if (events.length > 0 || !this.#ended) return events
    if (this.#broken !== undefined) throw this.#broken.error
    return undefined
  }

  /** One piece through the pipeline, or the end; false when there is none yet. */
  #step(): boolean {
    if (this.#ended) return false
    const piece = this.#inflow.read()
    if (piece === undefined) return false
    this.#clocks.received()
    if (piece !== null) this.#reader.push(piece)
    if (piece !== null && !this.#reader.over()) return true
    this.#reader.end()
    if (piece !== null) this.#reply.release()
    this.#finish()
    return true
  }

  #finish(): void {
    this.#ended = true
    this.#clocks.stop()
    this.#end()
  }
}

/** Reads all that is left of a reply. */
export async function readAll(live: Live, take: (batch: Event[]) => void): Promise<void> {
  try {
    for (;;) {
      const batch = live.take()
      if (batch?.length === 0) {
        await woken(live)
        continue
      }
      if (batch === undefined) return
      take(batch)
    }
  } catch (error) {
    live.heard?.failed(error)
    throw error
  }
}

function woken(live: Live): Promise<void> {
  return new Promise((resolve) => live.wake(resolve))
}
