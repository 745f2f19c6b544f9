import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Reply } from '../wire/call.ts'
import { createBody } from './body.ts'
import type { Body } from './body.ts'
import { decompress, encodings } from './decompress.ts'
import { bodyError, closedByPeer, sendError } from './failure.ts'
import { replyHeaders } from './headers.ts'
import type { ConnectionPool } from './pools.ts'
import type { Target } from './target.ts'

/** A call made ready for the wire. */
export interface Outgoing {
  target: Target
  method: string
  headers: Record<string, string>
  body: Uint8Array | string | null
  /** Bytes of the decoded reply body at most. */
  maxBytes: number
}

/** A reply whose body is bytes. */
export interface HttpReply extends Reply {
  body: AsyncIterable<Uint8Array>
}

/** What one dispatch came to: a reply, or the peer's having closed an idle connection just as we wrote to it. */
export type Outcome = HttpReply | 'raced'

const raceMs = 1_000

/**
 * One request, one reply. undici calls the handler's methods in this order: onRequestStart (it is being written),
 * onResponseStarted (a byte came), onResponseStart (also for 1xx), onResponseData, onResponseEnd; or onResponseError.
 */
export function exchange(out: Outgoing, pool: ConnectionPool, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { origin, host, path } = out.target
    let controller: Dispatcher.DispatchController | undefined
    let opened: Socket | undefined
    let body: Body | undefined
    let fail: (error: ModelwireError) => void = reject
    let given: ModelwireError | undefined
    let answered = false
    let startedAt = 0

    function settled(): void {
      signal.removeEventListener('abort', onAbort)
    }

    /** Ends it from our side; undici's own error that follows says nothing new. */
    function giveUp(error: ModelwireError): void {
      given = error
      settled()
      fail(error)
      if (controller) controller.abort(error)
      else opened?.destroy(error)
    }

    function onAbort(): void {
      giveUp(abortError(signal))
    }

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(starting) {
        controller = starting
        startedAt = performance.now()
        if (given) starting.abort(given)
      },
      onResponseStarted() {
        answered = true
      },
      onResponseStart(flow, status, raw) {
        if (status < 200 || given) return
        const headers = replyHeaders(raw)
        try {
          const begun = createBody(flow, out.maxBytes, settled)
          const [read, failNow] = decoded(begun, headers, out.maxBytes)
          body = begun
          fail = failNow
          resolve({ status, headers, ...read, release: begun.release })
        } catch (error) {
          giveUp(error instanceof ModelwireError ? error : sendError(error, host))
        }
      },
      onResponseData(_flow, chunk) {
        body?.push(chunk)
      },
      onResponseEnd() {
        if (pool.breaking()) body?.fail(bodyError(undefined, host))
        else body?.end()
      },
      onResponseError(_flow, error) {
        if (given) return
        settled()
        if (body) return body.fail(bodyError(error, host))
        if (!opened && !answered && closedByPeer(error) && performance.now() - startedAt < raceMs) return resolve('raced')
        reject(sendError(error, host))
      },
    }

    signal.addEventListener('abort', onAbort, { once: true })
    const { method, headers } = out
    pool.dispatch(
      // The clocks are given here too, because undici's way through a proxy makes connections without the pool's options.
      { origin, path, method, headers, body: out.body, headersTimeout: 0, bodyTimeout: 0 },
      handler,
      (socket) => {
        opened = socket
      },
    )
  })
}

/** The body as it is read, and how to end it at once. */
function decoded(
  body: Body,
  headers: Record<string, string>,
  maxBytes: number,
): [Pick<HttpReply, 'body' | 'inflow'>, (error: ModelwireError) => void] {
  if (!/^(identity|chunked)?$/i.test(headers['transfer-encoding'] ?? '')) {
    throw new ModelwireError('protocol', 'The reply has a transfer encoding other than chunked.')
  }
  const names = encodings(headers['content-encoding'])
  if (names.length === 0) return [{ body: body.bytes, inflow: body.inflow }, (error) => body.fail(error, true)]
  const plain = decompress(body.bytes, names, maxBytes)
  return [
    { body: plain.bytes },
    (error) => {
      body.fail(error, true)
      plain.fail(error)
    },
  ]
}
