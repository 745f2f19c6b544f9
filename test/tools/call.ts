import { onTestFinished } from 'vitest'
import type { ModelwireError } from '../../src/core/error.ts'
import { createHttpTransport } from '../../src/transport/http.ts'
import type { HttpOptions, HttpTransport } from '../../src/transport/http.ts'
import type { HttpReply } from '../../src/transport/exchange.ts'
import type { Call } from '../../src/wire/call.ts'

/** A transport that closes with the test and takes no proxy from the environment. */
export function transport(options: HttpOptions = {}): HttpTransport {
  const made = createHttpTransport({ env: {}, ...options })
  onTestFinished(() => made.close())
  return made
}

/** A small POST; what is given replaces. */
export function post(url: string, more: Partial<Call> = {}): Call {
  return { method: 'POST', url, headers: { 'content-type': 'application/json' }, body: '{}', ...more }
}

export const never = (): AbortSignal => new AbortController().signal

export async function text(reply: HttpReply): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of reply.body) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** Until the connection of the call before can be used again, or is seen to be closed. */
export const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

/** The error that a promise fails with; a success is a failure of the test. */
export async function failureOf(promise: Promise<unknown>): Promise<ModelwireError> {
  try {
    await promise
  } catch (error) {
    return error as ModelwireError // tests look at it closely enough
  }
  throw new Error('it should have failed')
}
