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
const mostHeld = 4 // what one read of a socket brings, by the pieces that servers write

/** A reply as it is read. */
export class Live {
  readonly headers: Record<string, string>
  /** Hears how it goes on. */
  heard: Heard | undefined
  /**
   * With a proof that came before the end of the body: resolves when the connection can be used again, or after a moment. Who
   * hands on the end waits for it, since a call that follows would else open a connection of its own.
   */
  freed: Promise<void> | undefined
  readonly #reply: Reply
  readonly #inflow: Inflow
  readonly #reader: Reader
  readonly #clocks: Clocks
  readonly #failed: (error: unknown) => unknown
  #over: PromiseWithResolvers<void> | undefined
  /** Who waits for it. */
  #back: (() => void) | undefined
  #listening = false
  #ended = false
  #broken: { error: unknown } | undefined
  /** What came before anybody took it. */
  readonly #held: Event[][] = []

  constructor(reply: Reply, reader: Reader, clocks: Clocks, failed: (error: unknown) => unknown) {
    this.headers = reply.headers
    this.#reply = reply
    this.#inflow = inflowOf(reply)
    this.#reader = reader
    this.#clocks = clocks
    this.#failed = failed
  }

  /** Resolves when nothing more will come, by its end, its failure or `close`. */
  get over(): Promise<void> {
    this.#over ??= Promise.withResolvers<void>()
    if (this.#ended) this.#over.resolve()
    return this.#over.promise
  }

  /** Waits for the first content of a stream, or for all of a whole reply: until then it can all be done again. */
  async commit(streamed: boolean): Promise<void> {
    const came: Event[][] = []
    for (let events = this.#next(); events !== undefined; events = this.#next()) {
      if (events.length > 0) came.push(events)
      else await woken(this)
      if (streamed && came.length > 0) break
    }
    this.#held.unshift(...came)
    this.#clocks.committed()
  }

  /** The events of one read; none when nothing is there yet, undefined at the end. After a failure it first gives what came before it, then throws. */
  take(): Event[] | undefined {
    const events = this.#next()
    const last = events?.at(-1)
    if (last?.type === 'usage') this.heard?.counted(last)
    if (events === undefined) this.heard?.ended()
    return events
  }

  /** Calls back, once, when `take` has something to say. */
  wake(back: () => void): void {
    if (this.#ended || this.#held.length > 0) return back()
    this.#clocks.waiting()
    const before = this.#back // one that waits already goes first
    this.#back = before === undefined ? back : () => (before(), back())
    this.#listen()
  }

  /** Closes the connection and stops the clocks. */
  async close(): Promise<void> {
    this.heard?.left()
    if (this.#ended) return
    this.#finish()
    await this.#inflow.leave()
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    this.#inflow.wake(this.#came)
  }

  /** Reads what has come right now, since its bytes may be lent, and a little ahead of who waits. What makes no events yet wakes nobody. */
  readonly #came = (): void => {
    this.#listening = false
    const events = this.#gather()
    if (events.length > 0) this.#held.push(events)
    if (!this.#ended && this.#held.length < mostHeld) this.#listen()
    const back = this.#back
    if (back === undefined) return
    if (!this.#ended && this.#held.length === 0) return this.#clocks.waiting() // the wait goes on, and its clock begins anew
    this.#back = undefined
    back()
  }

  /** The events of what is there; undefined at the end. Throws what broke it. */
  #next(): Event[] | undefined {
    const events = this.#held.shift() ?? this.#gather()
    if (events.length > 0 || !this.#ended) return events
    if (this.#broken !== undefined) throw this.#broken.error
    return undefined
  }

  #gather(): Event[] {
    let events = nothing
    try {
      while (events.length === 0 && this.#step()) events = this.#reader.take()
    } catch (error) {
      this.#broken = { error: this.#failed(error) }
      this.#finish()
      this.#inflow.leave().catch(() => undefined) // what went wrong first is what is told
      events = this.#reader.take()
    }
    return events
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
    if (piece !== null) this.freed = this.#reply.release()
    this.#finish()
    return true
  }

  #finish(): void {
    this.#ended = true
    this.#clocks.stop()
    this.#over?.resolve()
  }
}

/** Reads all that is left of a reply. */
export async function readAll(live: Live, take: (batch: Event[]) => void): Promise<void> {
  try {
    for (let batch = live.take(); batch !== undefined; batch = live.take()) {
      if (batch.length > 0) take(batch)
      else await woken(live)
    }
    await live.freed
  } catch (error) {
    live.heard?.failed(error)
    throw error
  }
}

function woken(live: Live): Promise<void> {
  return new Promise((resolve) => live.wake(resolve))
}
