import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Inflow, Reply } from '../wire/call.ts'
import { Body, type Flow } from './body.ts'
import { decompress, encodings, type Decoded } from './decompress.ts'
import { bodyError, closedByPeer, sendError } from './failure.ts'
import { replyHeaders } from './headers.ts'
import type { ConnectionPool, Dispatch } from './pools.ts'
import { goOn, take, type DirectSocket } from './reads.ts'
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

const raceMs = 1_000

/** One request, one reply. */
export function exchange(out: Outgoing, pool: ConnectionPool, signal: AbortSignal): Promise<HttpReply> {
  return new Promise((resolve, reject) => new Exchange(out, pool, signal, resolve, reject).send())
}

/**
 * undici calls the methods in this order: onRequestStart (it is being written), onResponseStarted (a byte came),
 * onResponseStart (also for 1xx), onResponseData, onResponseEnd; or onResponseError.
 */
class Exchange implements Dispatch, Flow {
  readonly #host: string
  readonly #maxBytes: number
  readonly #pool: ConnectionPool
  readonly #signal: AbortSignal
  readonly #resolve: (reply: HttpReply) => void
  readonly #reject: (error: ModelwireError) => void
  readonly #settled = (): void => this.#signal.removeEventListener('abort', this)
  /** Until it is answered. */
  #out: Outgoing | undefined
  #controller: Dispatcher.DispatchController | undefined
  #opened: Socket | undefined
  #reads: DirectSocket | undefined
  #body: Body | undefined
  #answer: Answer | undefined
  #given: ModelwireError | undefined
  #answered = false
  #startedAt = 0
  #raced = false

  constructor(
    out: Outgoing,
    pool: ConnectionPool,
    signal: AbortSignal,
    resolve: (reply: HttpReply) => void,
    reject: (error: ModelwireError) => void,
  ) {
    this.#out = out
    this.#host = out.target.host
    this.#maxBytes = out.maxBytes
    this.#pool = pool
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this, { once: true })
  }

  send(): void {
    if (this.#out === undefined || this.#given) return
    const { target, method, headers, body } = this.#out
    const { origin, path } = target
    // The clocks are given here too, because undici's way through a proxy makes connections without the pool's options.
    this.#pool.dispatch({ origin, path, method, headers, body, headersTimeout: 0, bodyTimeout: 0 }, this)
  }

  /** The signal aborted. */
  handleEvent(): void {
    this.#giveUp(abortError(this.#signal))
  }

  opening(socket: Socket): void {
    this.#opened = socket
  }

  onRequestStart(starting: Dispatcher.DispatchController): void {
    this.#controller = starting
    this.#startedAt = performance.now()
    if (this.#given) starting.abort(this.#given)
  }

  onResponseStarted(): void {
    this.#answered = true
  }

  onResponseStart(_flow: Dispatcher.DispatchController, status: number, raw: Record<string, string | string[] | undefined>): void {
    if (status < 200 || this.#given) return
    const headers = replyHeaders(raw)
    try {
      const body = new Body(this, this.#maxBytes, this.#settled)
      const answer = new Answer(status, headers, body, this.#maxBytes)
      this.#out = undefined
      this.#body = body
      this.#answer = answer
      this.#reads = take(body, chunked(status, headers))
      this.#resolve(answer)
    } catch (error) {
      this.#giveUp(error instanceof ModelwireError ? error : sendError(error, this.#host))
    }
  }

  onResponseData(_flow: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk)
  }

  onResponseEnd(): void {
    this.#reads = undefined // the socket is somebody else's now
    if (this.#pool.breaking()) this.#body?.fail(bodyError(undefined, this.#host))
    else this.#body?.end()
  }

  onResponseError(_flow: Dispatcher.DispatchController, error: Error): void {
    if (this.#given) return
    if (this.#body) return this.#body.fail(bodyError(error, this.#host)) // which settles it
    if (this.#lostRace(error)) return this.#again()
    this.#settled()
    this.#reject(sendError(error, this.#host))
  }

  /** A kept connection may be closed by the server just as we write; without a byte of an answer it is safe to say it again, once. */
  #lostRace(error: Error): boolean {
    if (this.#raced || this.#opened || this.#answered) return false
    return closedByPeer(error) && performance.now() - this.#startedAt < raceMs
  }

  #again(): void {
    this.#raced = true
    this.#controller = undefined
    queueMicrotask(() => this.send()) // undici is still busy with the connection that closed
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
    if (this.#reads) goOn(this.#reads)
  }

  abort(reason: Error): void {
    this.#controller?.abort(reason)
  }

  /** Ends it from our side; undici's own error that follows says nothing new. */
  #giveUp(error: ModelwireError): void {
    this.#given = error
    this.#settled()
    if (this.#answer) this.#answer.fail(error)
    else this.#reject(error)
    if (this.#controller) this.#controller.abort(error)
    else this.#opened?.destroy(error)
  }
}

/** Whether there is a body, and in chunks; what undici leaves in doubt is its own. */
function chunked(status: number, headers: Record<string, string>): boolean {
  const framing = headers['transfer-encoding']
  return framing?.toLowerCase() === 'chunked' && headers['content-length'] === undefined && status !== 204 && status !== 304
}

/**
 * A class, because of what V8 does with literals: when the first few hundred objects of one outlived a collection, all later
 * ones are put among the old, and what they hold (here a whole call) stays until a full collection.
 */
class Answer implements HttpReply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: AsyncIterable<Uint8Array>
  readonly inflow: Inflow | undefined
  readonly #bytes: Body
  readonly #plain: Decoded | undefined

  constructor(status: number, headers: Record<string, string>, bytes: Body, maxBytes: number) {
    if (!/^(identity|chunked)?$/i.test(headers['transfer-encoding'] ?? '')) {
      throw new ModelwireError('protocol', 'The reply has a transfer encoding other than chunked.')
    }
    const names = encodings(headers['content-encoding'])
    this.status = status
    this.headers = headers
    this.#bytes = bytes
    this.#plain = names.length === 0 ? undefined : decompress(bytes, names, maxBytes)
    this.body = this.#plain?.bytes ?? bytes
    this.inflow = this.#plain === undefined ? bytes : undefined
  }

  release(): Promise<void> | undefined {
    return this.#bytes.release()
  }

  /** Ends it at once, whatever has come. */
  fail(error: ModelwireError): void {
    this.#bytes.fail(error, true)
    this.#plain?.fail(error)
  }
}
