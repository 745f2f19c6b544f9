import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Timeouts } from '../core/request.ts'
import type { RateLimit } from '../core/result.ts'
import { isMap } from '../lang/value.ts'
import type { Operation } from '../manifest/compile.ts'
import type { Reading } from '../manifest/reading.ts'
import { Reader } from '../pipeline/read.ts'
import { retryAfter } from '../resilience/delay.ts'
import { Clocks } from '../resilience/timeout.ts'
import { framed } from '../transport/headers.ts'
import { authorize, type Secrets } from '../wire/auth.ts'
import { bytesOf, type Call, type Reply, type Transport } from '../wire/call.ts'
import { endingsOf } from './endings.ts'
import { readError } from './failure.ts'
import { followed, type Job } from './follow.ts'
import { Live } from './live.ts'
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
}

const errorBody = 1_048_576

/** Sends the call for the nth time, and reads up to the first event with content: until then it can all be done again. */
export async function attempt(asked: Asked, n: number, transport: Transport, signal: AbortSignal | undefined): Promise<Live> {
  const { reading } = asked.operation // compiled before anything is sent: a mistake in the rules costs no call
  const secrets = asked.secrets()
  const clocks = new Clocks(patient(asked), { streamed: asked.streamed, signal, endsAt: asked.endsAt })
  const failed = (error: unknown): unknown => described(error, asked, n, clocks, secrets)
  let live: Live | undefined
  try {
    const reply = await transport(authorize(asked.call, asked.operation.auth, secrets), clocks.signal)
    clocks.replied()
    if (reply.status < 200 || reply.status >= 300) throw await refusal(asked, reply, clocks)
    const answer = whole(asked, reply, transport, clocks.signal)
    live = new Live(answer, readerOf(asked, reading, answer), clocks, failed)
    await live.commit(asked.streamed)
    return live
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

/** Everything that a failure is told with, and nothing secret in it. */
function described(error: unknown, asked: Asked, attempts: number, clocks: Clocks, secrets: Secrets): unknown {
  const aborted = clocks.signal.aborted ? abortError(clocks.signal) : undefined
  const made =
    error instanceof ModelwireError && error.kind !== 'cancelled' && error.kind !== 'network' ? error : (aborted ?? error)
  if (!(made instanceof ModelwireError)) return made
  return redact(made.add({ provider: asked.provider, model: asked.model, attempts }), secrets)
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

function readerOf(asked: Asked, { plan }: Reading, reply: Reply): Reader {
  const { status, headers } = reply
  return new Reader(plan, {
    headers,
    roots: { request: asked.request, headers, status },
    endings: endingsOf(asked.operation, reply, asked.choices),
    limit: asked.streamed ? asked.limits.event : asked.limits.reply,
    streamed: asked.streamed,
    framed: framed(headers),
    learn: asked.learn,
  })
}

/** What the reply's headers say of the provider's limits. */
export function rateLimitsOf(operation: Operation, headers: Record<string, string>): Record<string, RateLimit> | undefined {
  const limits = operation.reading.rateLimits?.({}, { headers })
  return isMap(limits) ? (limits as Record<string, RateLimit>) : undefined // the schema allows only numbers of these names
}
