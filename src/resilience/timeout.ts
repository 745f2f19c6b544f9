import { ModelwireError } from '../core/error.ts'
import type { TimeoutPhase } from '../core/error.ts'
import type { Timeouts } from '../core/request.ts'
import { startTimer } from '../core/timer.ts'

/** The clocks in full, each as the first of those says it that says it. A clock of 0 never runs out. */
export function timeoutsOf(streamed: boolean, first: Timeouts, second: Timeouts = {}, third: Timeouts = {}): Required<Timeouts> {
  return {
    connect: first.connect ?? second.connect ?? third.connect ?? 10_000,
    firstByte: first.firstByte ?? second.firstByte ?? third.firstByte ?? (streamed ? 60_000 : 600_000),
    firstEvent: first.firstEvent ?? second.firstEvent ?? third.firstEvent ?? 60_000,
    idle: first.idle ?? second.idle ?? third.idle ?? 60_000,
    total: first.total ?? second.total ?? third.total ?? (streamed ? 3_600_000 : 600_000),
  }
}

export interface ClockOptions {
  streamed: boolean
  /** The caller's wish to stop. */
  signal?: AbortSignal | undefined
  /** When the whole call has to be over, by performance.now(); later attempts have less time. Absent: `total` from now. */
  endsAt?: number | undefined
}

type Phase = Exclude<TimeoutPhase, 'connect'>
/** In the order in which they are told, when several have run out. */
const phases: Phase[] = ['total', 'firstByte', 'firstEvent', 'idle']

/**
 * The clocks of one attempt; whoever makes them stops them, in `finally`. One timer for all: it is set for the clock that runs
 * out first and looks again when it rings, so that a stream of many chunks costs two numbers a chunk and no timer. `connect`
 * belongs to the transport.
 */
export class Clocks {
  readonly #limits: Required<Timeouts>
  readonly #streamed: boolean
  readonly #caller: AbortSignal | undefined
  readonly #controller = new AbortController()
  // When each runs out, by performance.now().
  #total = Infinity
  #firstByte = Infinity
  #firstEvent = Infinity
  #idle = Infinity
  #timer: NodeJS.Timeout | undefined
  #rings = Infinity

  constructor(limits: Required<Timeouts>, { streamed, signal, endsAt }: ClockOptions) {
    this.#limits = limits
    this.#streamed = streamed
    this.#caller = signal
    if (signal?.aborted === true) this.handleEvent()
    else signal?.addEventListener('abort', this, { once: true })
    const now = performance.now()
    this.#total = endsAt ?? after(limits.total, now)
    this.#firstByte = after(limits.firstByte, now)
    this.#ringAt(Math.min(this.#total, this.#firstByte), now)
  }

  /** Goes to everything that waits. Its reason is the timeout's error, or the caller's own reason. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Status and headers came: `firstByte` stops, `firstEvent` starts if the reply is streamed. */
  replied(): void {
    this.#firstByte = Infinity
    if (!this.#streamed) return
    const now = performance.now()
    this.#firstEvent = after(this.#limits.firstEvent, now)
    this.#ringAt(this.#firstEvent, now)
  }

  /** Bytes are being waited for: only then `idle` runs, so that a slow consumer isn't mistaken for a silent server. */
  waiting(): void {
    const now = performance.now()
    this.#idle = after(this.#limits.idle, now)
    this.#ringAt(this.#idle, now)
  }

  received(): void {
    this.#idle = Infinity
  }

  /** The first event with content came: `firstEvent` stops. */
  committed(): void {
    this.#firstEvent = Infinity
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#rings = -Infinity // nothing starts it again
    this.#caller?.removeEventListener('abort', this)
  }

  /** The caller aborted. */
  handleEvent(): void {
    this.#abort(this.#caller?.reason)
  }

  #ringAt(end: number, now: number): void {
    if (end >= this.#rings) return
    clearTimeout(this.#timer)
    this.#rings = end
    this.#timer = startTimer(() => this.#look(), Math.max(0, Math.ceil(end - now)))
  }

  #look(): void {
    const now = performance.now()
    const ends = [this.#total, this.#firstByte, this.#firstEvent, this.#idle]
    const out = phases[ends.findIndex((end) => end <= now)]
    if (out !== undefined) return this.#abort(expired(out, this.#limits[out]))
    this.#rings = Infinity
    this.#ringAt(Math.min(...ends), now)
  }

  #abort(reason: unknown): void {
    this.stop()
    this.#controller.abort(reason)
  }
}

function after(ms: number, from: number): number {
  return ms > 0 ? from + ms : Infinity
}

const said: Record<Phase, string> = {
  firstByte: 'No reply came in time.',
  firstEvent: 'The reply began, but nothing of its content came in time.',
  idle: 'The reply stopped coming.',
  total: 'The whole call took too long.',
}

function expired(phase: Phase, limit: number): ModelwireError {
  return new ModelwireError('timeout', said[phase], {
    phase,
    // After `total` there is no time left to try again in.
    retryable: phase !== 'total',
    hint:
      limit > 0
        ? `The limit is ${limit} ms; it is set by \`timeouts.${phase}\`${phase === 'total' ? ' or `timeout`' : ''}.`
        : undefined,
  })
}
