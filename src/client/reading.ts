import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Fold } from '../core/fold.ts'
import type { ChatResult, Warning } from '../core/result.ts'
import type { Live } from './live.ts'

/** A call that can be made. */
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

export type Outcome<R> = { result: R } | { error: unknown }

/** A call as it is read: sent when first waited for, folded as it comes. Whoever reads has it first, and then how it ended. */
export class Reading<R> {
  readonly #source: StreamSource<R>
  readonly #fold: Fold
  readonly #conclude: (outcome: Outcome<R>) => void
  readonly #left = new AbortController()
  #opening: Promise<void> | undefined
  #refused: { error: unknown } | undefined
  #live: Live | undefined
  #begun = false
  #over = false

  constructor(source: StreamSource<R>, conclude: (outcome: Outcome<R>) => void) {
    this.#source = source
    this.#fold = source.fold
    this.#conclude = conclude
  }

  /** The next events; none when nothing is there yet, undefined at the end, which `ended` then concludes. Throws what broke the call. */
  read(): Event[] | undefined {
    if (this.#over) return undefined
    if (this.#refused !== undefined) throw this.#failed(this.#refused.error)
    const live = this.#live
    if (live === undefined) return []
    const events = this.#taken(live)
    if (events === undefined || events.length === 0) return events
    if (!this.#begun) addWarnings(events, this.#source.warnings)
    this.#begun = true
    for (const event of events) this.#fold.push(event)
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
      const result = await this.#source.finish()
      await this.#live?.freed
      this.#conclude({ result })
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
