import { ModelwireError } from '../core/error.ts'
import type { TimeoutPhase } from '../core/error.ts'
import type { Timeouts } from '../core/request.ts'
import { startTimer } from '../core/timer.ts'

/** The clocks in full. A clock of 0 never runs out. */
export function withDefaults(timeouts: Timeouts, streamed: boolean): Required<Timeouts> {
  return {
    connect: timeouts.connect ?? 10_000,
    firstByte: timeouts.firstByte ?? (streamed ? 60_000 : 600_000),
    firstEvent: timeouts.firstEvent ?? 60_000,
    idle: timeouts.idle ?? 60_000,
    total: timeouts.total ?? (streamed ? 3_600_000 : 600_000),
  }
}

/** The clocks of one attempt. Whoever makes them stops them, in `finally`. */
export interface Clocks {
  /** Goes to everything that waits. Its reason is the timeout's error, or the caller's own reason. */
  readonly signal: AbortSignal
  /** Status and headers came: `firstByte` stops, `firstEvent` starts if the reply is streamed. */
  replied(): void
  /** Bytes are being waited for: only then `idle` runs, so that a slow consumer isn't mistaken for a silent server. */
  waiting(): void
  received(): void
  /** The first event with content came: `firstEvent` stops. */
  committed(): void
  stop(): void
}

export interface ClockOptions {
  streamed: boolean
  /** The caller's wish to stop. */
  signal: AbortSignal
  /** When the whole call has to be over, by performance.now(); later attempts have less time. Absent: `total` from now. */
  endsAt?: number | undefined
}

/**
 * One timer for all of them: it is set for the clock that runs out first and looks again when it rings, so that a stream
 * of many chunks costs two numbers a chunk and no timer. `connect` belongs to the transport.
 */
export function createClocks(limits: Required<Timeouts>, { streamed, signal: caller, endsAt }: ClockOptions): Clocks {
  const controller = new AbortController()
  const ends: Record<Phase, number> = { firstByte: Infinity, firstEvent: Infinity, idle: Infinity, total: Infinity }
  let timer: NodeJS.Timeout | undefined
  let rings = Infinity

  function start(phase: Phase, end: number): void {
    ends[phase] = end
    if (end < rings) set(end)
  }

  function set(end: number): void {
    clearTimeout(timer)
    rings = end
    timer = startTimer(look, Math.max(0, Math.ceil(end - performance.now())))
  }

  function look(): void {
    const now = performance.now()
    const out = phases.find((phase) => ends[phase] <= now)
    if (out) return abort(expired(out, limits[out]))
    const next = Math.min(ends.firstByte, ends.firstEvent, ends.idle, ends.total)
    rings = Infinity
    if (next < Infinity) set(next)
  }

  function abort(reason: unknown): void {
    stop()
    controller.abort(reason)
  }

  function callerAborts(): void {
    abort(caller.reason)
  }

  function stop(): void {
    clearTimeout(timer)
    rings = -Infinity // nothing starts it again
    caller.removeEventListener('abort', callerAborts)
  }

  const started = performance.now()
  const after = (ms: number, from: number): number => (ms > 0 ? from + ms : Infinity)
  if (caller.aborted) callerAborts()
  else caller.addEventListener('abort', callerAborts, { once: true })
  start('total', endsAt ?? after(limits.total, started))
  start('firstByte', after(limits.firstByte, started))

  return {
    signal: controller.signal,
    replied() {
      ends.firstByte = Infinity
      if (streamed) start('firstEvent', after(limits.firstEvent, performance.now()))
    },
    waiting() {
      start('idle', after(limits.idle, performance.now()))
    },
    received() {
      ends.idle = Infinity
    },
    committed() {
      ends.firstEvent = Infinity
    },
    stop,
  }
}

type Phase = Exclude<TimeoutPhase, 'connect'>
const phases: Phase[] = ['total', 'firstByte', 'firstEvent', 'idle']

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
