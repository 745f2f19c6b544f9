import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Inflow, Reply } from '../wire/call.ts'
import { Body } from './body.ts'
import { decompress, encodings, type Decoded } from './decompress.ts'
import { bodyError, sendError } from './failure.ts'
import type { ConnectionPool, Flow, Listener, Outgoing } from './pool.ts'

/** A reply whose body is bytes. */
export interface HttpReply extends Reply {
  body: AsyncIterable<Uint8Array>
}

/** One request, one reply. */
export function exchange(out: Outgoing, pool: ConnectionPool, signal: AbortSignal): Promise<HttpReply> {
  return new Promise((resolve, reject) => new Exchange(out, pool, signal, resolve, reject).send())
}

class Exchange implements Listener {
  readonly #host: string
  readonly #maxBytes: number
  readonly #pool: ConnectionPool
  readonly #signal: AbortSignal
  readonly #resolve: (reply: HttpReply) => void
  readonly #reject: (error: ModelwireError) => void
  /** Until it is answered. */
  #out: Outgoing | undefined
  #flow: Flow | undefined
  #body: Body | undefined
  #answer: Answer | undefined

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

  send(fresh = false): void {
    if (this.#out) this.#flow = this.#pool.send(this.#out, this, fresh)
  }

  /** The signal aborted. */
  handleEvent(): void {
    this.#giveUp(abortError(this.#signal))
  }

  head(status: number, headers: Record<string, string>): Body | undefined {
    if (this.#flow === undefined) return undefined
    try {
      this.#body = new Body(this.#flow, this.#maxBytes, () => this.#settled())
      this.#answer = new Answer(status, headers, this.#body, this.#maxBytes)
      this.#out = undefined
      this.#resolve(this.#answer)
    } catch (error) {
      this.#giveUp(error instanceof ModelwireError ? error : sendError(error, this.#host))
    }
    return this.#body
  }

  end(): void {
    this.#body?.end()
  }

  lost(): void {
    this.send(true)
  }

  fail(error: Error): void {
    if (this.#body) return this.#body.fail(bodyError(error, this.#host)) // which settles it
    this.#settled()
    this.#reject(sendError(error, this.#host))
  }

  /** Ends it from our side. */
  #giveUp(error: ModelwireError): void {
    this.#settled()
    this.#out = undefined
    if (this.#answer) this.#answer.fail(error)
    else this.#reject(error)
    this.#flow?.abort()
  }

  #settled(): void {
    this.#signal.removeEventListener('abort', this)
  }
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
