import { abortError, race } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Call } from '../wire/call.ts'
import type { HttpReply } from './exchange.ts'
import { acceptEncoding, checkHeaders, token } from './headers.ts'
import type { Outgoing } from './pool.ts'
import type { Pools } from './pools.ts'
import type { Environment } from './proxy.ts'
import { targetOf } from './target.ts'

export interface HttpOptions {
  /** Where the proxy variables stand, read at the first call to each origin; `process.env` when absent. */
  env?: Environment
  /** Milliseconds to connect, where the call doesn't say; 10,000 when absent, 0 for no clock. */
  connectTimeout?: number
  /** Bytes of a decoded body at most, where the call doesn't say; no bound when absent. */
  maxBytes?: number
}

export type HttpTransport = ((call: Call, signal: AbortSignal) => Promise<HttpReply>) & {
  /** Ends every call and connection; a call after that is refused. */
  close(): Promise<void>
}

type Engine = Pick<typeof import('./exchange.ts'), 'exchange'> & { pools: Pools }

/**
 * Calls over HTTP/1.1, with connections that are kept and shared. A redirect is a reply like any other: to follow one
 * could hand the key to whoever the redirect names.
 */
export function createHttpTransport(options: HttpOptions = {}): HttpTransport {
  let loading: Promise<Engine> | undefined
  let engine: Engine | undefined
  let closed = false

  /** With sockets and TLS: who only validates manifests doesn't pay for them. */
  async function load(): Promise<Engine> {
    const [{ exchange }, { createPools }] = await Promise.all([import('./exchange.ts'), import('./pools.ts')])
    engine = { exchange, pools: createPools(options.env ?? process.env, options.connectTimeout ?? 10_000) }
    return engine
  }

  async function transport(call: Call, signal: AbortSignal): Promise<HttpReply> {
    if (signal.aborted) throw abortError(signal)
    const out = outgoing(call, options)
    const { exchange, pools } = engine ?? (await race((loading ??= load()), signal))
    if (closed) throw new ModelwireError('cancelled', 'The runtime is closed.')
    return exchange(out, pools.get(out.target, call.connection), signal)
  }

  async function close(): Promise<void> {
    closed = true
    if (loading) await (await loading).pools.close()
  }

  return Object.assign(transport, { close })
}

function outgoing(call: Call, options: HttpOptions): Outgoing {
  const target = targetOf(call.url)
  if (target === undefined) {
    // The address isn't quoted: its query may hold a key.
    throw new ModelwireError('configuration', 'The address of the call is not an http:// or https:// URL.', {
      hint: 'Check the base address.',
    })
  }
  if (!token.test(call.method)) throw new ModelwireError('configuration', 'The method of the call is none of HTTP.')
  checkHeaders(call.headers)
  const accepted = acceptEncoding(call.headers)
  const headers = accepted === undefined ? call.headers : { ...call.headers, 'accept-encoding': accepted }
  return {
    target,
    method: call.method.toUpperCase(),
    headers,
    body: bytes(call.body),
    maxBytes: call.maxBytes ?? options.maxBytes ?? Infinity,
  }
}

function bytes(body: Call['body']): Uint8Array | string | null {
  if (body === undefined) return null
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  throw new ModelwireError('configuration', 'The body of an HTTP call must be encoded to bytes or text first.')
}
