import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import type { Timeouts } from '../core/request.ts'
import type { RateLimit } from '../core/result.ts'
import { isMap, type Roots } from '../lang/value.ts'
import type { Operation } from '../manifest/compile.ts'
import type { Reading } from '../manifest/reading.ts'
import { createReader, type Reader } from '../pipeline/read.ts'
import { retryAfter } from '../resilience/delay.ts'
import { type Clocks, createClocks } from '../resilience/timeout.ts'
import { framed } from '../transport/headers.ts'
import { authorize, type Secrets } from '../wire/auth.ts'
import { bytesOf, type Call, type Reply, type Transport } from '../wire/call.ts'
import { inflowOf } from '../wire/inflow.ts'
import { endingsOf } from './endings.ts'
import { readError } from './failure.ts'
import { followed, type Job } from './follow.ts'
import { redact } from './redact.ts'

/** One attempt's needs. */
export interface Asked {
  operation: Operation
  provider: string
  model: string
  call: Call
  /** Read right before each attempt: keys may have changed. */
  secrets: () => Secrets
  request: Record<string, unknown>
  streamed: boolean
  timeouts: Required<Timeouts>
  /** When the whole call has to be over, by performance.now(). */
  endsAt: number | undefined
  limits: { event: number; reply: number }
  choices: number
  learn: boolean
  /** For a job that is asked for until it is done. */
  job?: Pick<Job, 'question' | 'again'>
  /** Which attempt this is, from 1. */
  attempts: number
}

/** Who wants to know how a reply goes on. */
export interface Heard {
  /** The events that were read; undefined at the end. */
  events(batch: Event[] | undefined): void
  failed(error: unknown): void
}

/** A reply whose first content has come. */
export interface Live {
  headers: Record<string, string>
  /** The events of one read; none when nothing is there yet, undefined at the end. After a failure it first gives what came before it, then throws. */
  take(): Event[] | undefined
  /** Calls back, once, when `take` has something to say. */
  wake(back: () => void): void
  /** Closes the connection and stops the clocks. */
  close(): Promise<void>
  /** Told by who reads: of each batch, of the end, of a failure. */
  heard?: Heard
  /** Resolves when nothing more will come, by its end, its failure or `close`. */
  readonly over: Promise<void>
}

const errorBody = 1_048_576

/** Reads all that is left of a reply. */
export async function readAll(live: Live, take: (batch: Event[]) => void): Promise<void> {
  try {
    for (;;) {
      const batch = live.take()
      if (batch?.length === 0) {
        await woken(live)
        continue
      }
      live.heard?.events(batch)
      if (batch === undefined) return
      take(batch)
    }
  } catch (error) {
    live.heard?.failed(error)
    throw error
  }
}

function woken({ wake }: Pick<Live, 'wake'>): Promise<void> {
  return new Promise(wake)
}

/** Sends the call, and reads up to the first event with content: until then it can all be done again. */
export async function attempt(asked: Asked, transport: Transport, signal: AbortSignal): Promise<Live> {
  const { reading } = asked.operation // compiled before anything is sent: a mistake in the rules costs no call
  const secrets = asked.secrets()
  const clocks = createClocks(patient(asked), { streamed: asked.streamed, signal, endsAt: asked.endsAt })
  const failed = (error: unknown): unknown => described(error, asked, clocks, secrets)
  let live: Live | undefined
  try {
    const reply = await transport(outgoing(asked, secrets), clocks.signal)
    clocks.replied()
    if (reply.status < 200 || reply.status >= 300) throw await refusal(asked, reply, clocks)
    live = readReply(asked, reading, whole(asked, reply, transport, clocks.signal), clocks, failed)
    return await committed(live, clocks, asked.streamed)
  } catch (error) {
    const made = failed(error)
    await live?.close()
    clocks.stop()
    throw made
  }
}

/** With a job, a pause between two questions isn't a reply that stopped coming. */
function patient({ operation, timeouts }: Asked): Required<Timeouts> {
  const { follow } = operation
  return follow === undefined || timeouts.idle === 0 ? timeouts : { ...timeouts, idle: timeouts.idle + follow.every }
}

/** The reply, or the job that it names as one reply. */
function whole(asked: Asked, reply: Reply, transport: Transport, signal: AbortSignal): Reply {
  const { operation, job, limits } = asked
  if (operation.follow === undefined || job === undefined) return reply
  const sign = (call: Call): Call => authorize(call, operation.auth, asked.secrets())
  return followed(reply, operation.follow.every, { ...job, operation, authorize: sign, transport, limit: limits.event }, signal)
}

function outgoing(asked: Asked, secrets: Secrets): Call {
  const call = authorize(asked.call, asked.operation.auth, secrets)
  return {
    ...call,
    maxBytes: asked.streamed ? Infinity : asked.limits.reply,
    connection: { ...call.connection, connectTimeout: asked.timeouts.connect },
  }
}

/** A stream is committed with its first content; a whole reply only when all of it is there. */
async function committed(live: Live, clocks: Clocks, streamed: boolean): Promise<Live> {
  const held: Event[][] = []
  for (let batch = live.take(); batch !== undefined; batch = live.take()) {
    if (batch.length === 0) await woken(live)
    else held.push(batch)
    if (streamed && held.length > 0) break
  }
  clocks.committed()
  return { ...live, take: () => (held.length > 0 ? held.shift() : live.take()) }
}

/** Everything that a failure is told with, and nothing secret in it. */
function described(error: unknown, asked: Asked, clocks: Clocks, secrets: Secrets): unknown {
  const aborted = clocks.signal.aborted ? abortError(clocks.signal) : undefined
  const made =
    error instanceof ModelwireError && error.kind !== 'cancelled' && error.kind !== 'network' ? error : (aborted ?? error)
  if (!(made instanceof ModelwireError)) return made
  return redact(made.add({ provider: asked.provider, model: asked.model, attempts: asked.attempts }), secrets)
}

async function refusal(asked: Asked, reply: Reply, clocks: Clocks): Promise<ModelwireError> {
  const chunks: Uint8Array[] = []
  let size = 0
  clocks.waiting()
  for await (const chunk of bytesOf(reply)) {
    chunks.push(chunk)
    size += chunk.length
    if (size > errorBody) break
  }
  clocks.received()
  const error = readError(asked.operation, reply, Buffer.concat(chunks))
  if (error.retryAfterMs === undefined) error.add({ retryAfterMs: retryAfter(reply.headers) })
  return error
}

function readReply(asked: Asked, { plan }: Reading, reply: Reply, clocks: Clocks, failed: (error: unknown) => unknown): Live {
  const { operation } = asked
  const roots: Roots = { request: asked.request, headers: reply.headers, status: reply.status }
  const reader = createReader(plan, {
    headers: reply.headers,
    roots,
    endings: endingsOf(operation, reply, asked.choices),
    limit: asked.streamed ? asked.limits.event : asked.limits.reply,
    streamed: asked.streamed,
    framed: framed(reply.headers),
    learn: asked.learn,
  })
  return { headers: reply.headers, ...pump(reader, reply, clocks, failed) }
}

function pump(
  reader: Reader,
  reply: Reply,
  clocks: Clocks,
  failed: (error: unknown) => unknown,
): Pick<Live, 'take' | 'wake' | 'close' | 'over'> {
  const inflow = inflowOf(reply)
  const ended = Promise.withResolvers<void>()
  let over = false
  let broken: { error: unknown } | undefined

  const finish = (): void => {
    over = true
    clocks.stop()
    ended.resolve()
  }

  const close = async (): Promise<void> => {
    if (over) return
    finish()
    await inflow.leave()
  }

  /** One piece through the pipeline, or the end; false when there is none yet. */
  const step = (): boolean => {
    if (over) return false
    const piece = inflow.read()
    if (piece === undefined) return false
    clocks.received()
    if (piece !== null) reader.push(piece)
    if (piece !== null && !reader.over()) return true
    reader.end()
    if (piece !== null) reply.release()
    finish()
    return true
  }

  const take = (): Event[] | undefined => {
    let events: Event[] = []
    try {
      while (events.length === 0 && step()) events = reader.take()
    } catch (error) {
      broken = { error: failed(error) }
      close().catch(() => undefined) // what went wrong first is what is told
      events = reader.take()
    }
    if (events.length > 0 || !over) return events
    if (broken !== undefined) throw broken.error
    return undefined
  }

  const wake = (back: () => void): void => {
    if (over) return back()
    clocks.waiting()
    inflow.wake(back)
  }

  return { take, wake, close, over: ended.promise }
}

/** What the reply's headers say of the provider's limits. */
export function rateLimitsOf(operation: Operation, headers: Record<string, string>): Record<string, RateLimit> | undefined {
  const limits = operation.reading.rateLimits?.({}, { headers })
  return isMap(limits) ? (limits as Record<string, RateLimit>) : undefined // the schema allows only numbers of these names
}
