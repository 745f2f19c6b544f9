import { sleep } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Operation } from '../manifest/compile.ts'
import { retryAfter } from '../resilience/delay.ts'
import { bytesOf, type Call, type Reply, type Transport } from '../wire/call.ts'
import { readError } from './failure.ts'

/** A job that a reply has named, and how it is asked for. */
export interface Job {
  operation: Operation
  /** The question, made of the first answer. */
  question: (first: unknown) => Call
  /** Gives it its key, which may have changed. */
  authorize: (call: Call) => Call
  transport: Transport
  /** Runs one question, again where that helps. */
  again: Again
  /** Bytes of one answer. */
  limit: number
}

export type Again = <T>(ask: () => Promise<T>, signal: AbortSignal) => Promise<T>

/**
 * A polling job is a slow stream: the first answer and all that follow come as lines of one body, until who reads them has
 * seen that the job is done, and leaves.
 */
export function followed(reply: Reply, every: number, job: Job, signal: AbortSignal): Reply {
  return {
    status: reply.status,
    headers: { ...reply.headers, 'content-type': 'application/x-ndjson' },
    body: answers(reply, every, job, signal),
    release: () => undefined, // each answer was read to its end
  }
}

async function* answers(reply: Reply, every: number, job: Job, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  const first = parse(await whole(reply, job.limit))
  yield line(first)
  const question = job.question(first)
  for (;;) {
    await sleep(every, signal)
    yield line(await answer(question, job, signal))
  }
}

async function answer(question: Call, job: Job, signal: AbortSignal): Promise<unknown> {
  try {
    return await job.again(() => ask(question, job, signal), signal)
  } catch (error) {
    // The job itself is under way: sending all of it again would begin a second one.
    throw error instanceof ModelwireError ? error.add({ retryable: false }) : error
  }
}

async function ask(question: Call, { operation, authorize, transport, limit }: Job, signal: AbortSignal): Promise<unknown> {
  const reply = await transport({ ...authorize(question), maxBytes: limit }, signal)
  const body = await whole(reply, limit)
  if (reply.status >= 200 && reply.status < 300) return parse(body)
  const error = readError(operation, reply, body)
  throw error.retryAfterMs === undefined ? error.add({ retryAfterMs: retryAfter(reply.headers) }) : error
}

async function whole(reply: Reply, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytesOf(reply)) {
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) throw new ModelwireError('protocol', `an answer about the job is larger than ${limit} bytes`)
  }
  return Buffer.concat(chunks)
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown
  } catch {
    throw new ModelwireError('protocol', "an answer about the job isn't JSON", {
      hint: 'check the base address and any proxy in between',
    })
  }
}

function line(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}
