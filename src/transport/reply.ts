import { ChunkedDecoder, type DataSink } from './chunked.ts'
import { ConnectionError } from './failure.ts'
import { type Head, parseHead } from './head.ts'

/** Takes a reply, in this order. Interim replies (1xx) are left out. */
export interface ReplySink {
  /** Says who takes the body. */
  head(status: number, headers: Record<string, string>): DataSink | undefined
  /** Milliseconds for which the connection may be used again; 0 when it may not. */
  end(keep: number): void
}

const nobody: DataSink = { data: () => undefined }
const blankLine = Buffer.from('\r\n\r\n')
const start = 'HTTP/1.'
const mostHead = 64 * 1024
const usualKeep = 30_000
const mostKeep = 600_000
/** How much earlier than the server we let go of a connection, so that it seldom closes one as we write. */
const keepMargin = 2_000

/** Reads the replies that come over one connection, one after the other (RFC 9112). */
export class ReplyParser {
  readonly #sink: ReplySink
  #state: 'idle' | 'head' | 'chunks' | 'length' | 'rest' = 'idle'
  /** A head that hasn't come whole. */
  #cut: Buffer | undefined
  #bodiless = false
  #keep = 0
  #left = 0
  #chunks = new ChunkedDecoder()
  #taker: DataSink | undefined

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  /** Expects the reply to a request. */
  begin(method: string): void {
    this.#state = 'head'
    this.#bodiless = method === 'HEAD'
  }

  /** Expects nothing more: the sink isn't called again. */
  stop(): void {
    this.#state = 'idle'
    this.#taker = undefined
  }

  /** Takes what came, `bytes` up to `end`; says so when that isn't HTTP/1.1. */
  parse(bytes: Buffer, end: number): ConnectionError | undefined {
    let at = 0
    let seen = 0 // up to here there is no blank line
    while (this.#state === 'head') {
      if (this.#cut !== undefined) {
        seen = Math.max(0, this.#cut.length - blankLine.length + 1)
        bytes = Buffer.concat([this.#cut, bytes.subarray(0, end)])
        end = bytes.length
        this.#cut = undefined
      }
      const found = bytes.indexOf(blankLine, Math.max(at, seen))
      const whole = found >= 0 && found + blankLine.length <= end
      if ((whole ? found : end) - at > mostHead) return new ConnectionError('head-too-large')
      if (!whole) return this.#keepCut(bytes.subarray(at, end), Math.max(0, seen - at))
      const head = parseHead(bytes.toString('latin1', at, found))
      if (head === undefined || !this.#begun(head)) return notHttp()
      at = found + blankLine.length
    }
    return this.#body(bytes, at, end)
  }

  /** The peer sends nothing more. */
  close(): ConnectionError | undefined {
    if (this.#state === 'rest') return this.#end(true)
    return this.#state === 'idle' ? undefined : new ConnectionError('closed')
  }

  /** Keeps it for the next read, unless it is no HTTP already: who sends something else may wait for an answer. From `seen` on it is new. */
  #keepCut(bytes: Buffer, seen: number): ConnectionError | undefined {
    const text = bytes.toString('latin1', 0, start.length)
    if (!start.startsWith(text) || /[^\r]\n/.test(bytes.toString('latin1', seen))) return notHttp()
    this.#cut = Buffer.copyBytesFrom(bytes)
    return undefined
  }

  /** False when it can't be said where the body ends. */
  #begun({ status, current, headers }: Head): boolean {
    if (status < 200) return status !== 101 // nobody asked for another protocol
    const coding = headers['transfer-encoding']
    const length = headers['content-length']
    if (length !== undefined && (coding !== undefined || !/^\d{1,15}$/.test(length))) return false
    this.#keep = keepOf(current, headers)
    this.#left = 0
    if (this.#bodiless || status === 204 || status === 304) this.#state = 'length'
    else if (length !== undefined) {
      this.#state = 'length'
      this.#left = Number(length)
    } else if (coding !== undefined && /(?:^|[,\s])chunked$/i.test(coding)) {
      this.#state = 'chunks'
      this.#chunks = new ChunkedDecoder()
    } else this.#state = 'rest'
    this.#taker = this.#sink.head(status, headers)
    return true
  }

  #body(bytes: Buffer, at: number, end: number): ConnectionError | undefined {
    const taker = this.#taker ?? nobody
    switch (this.#state) {
      case 'chunks': {
        const stop = this.#chunks.decode(bytes, at, end, taker)
        if (stop < 0) return notHttp()
        return this.#chunks.ended ? this.#end(stop < end) : undefined
      }
      case 'length': {
        const stop = Math.min(end, at + this.#left)
        this.#left -= stop - at
        if (stop > at) taker.data(bytes.subarray(at, stop))
        return this.#left === 0 ? this.#end(stop < end) : undefined
      }
      case 'rest':
        if (at < end) taker.data(bytes.subarray(at, end))
        return undefined
      default:
        return undefined
    }
  }

  /** Who sends more than a reply, or closed, can't be asked again. */
  #end(over: boolean): undefined {
    if (this.#state === 'idle') return // the sink had enough
    const keep = over || this.#state === 'rest' ? 0 : this.#keep
    this.#state = 'idle'
    this.#taker = undefined
    this.#sink.end(keep)
  }
}

function keepOf(current: boolean, headers: Record<string, string>): number {
  const connection = headers['connection'] ?? ''
  if (current ? /(?:^|[,\s])close(?:$|[,\s])/i.test(connection) : !/(?:^|[,\s])keep-alive(?:$|[,\s])/i.test(connection)) return 0
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(headers['keep-alive'] ?? '')?.[1]
  return seconds === undefined ? usualKeep : Math.min(mostKeep, Math.max(0, Number(seconds) * 1_000 - keepMargin))
}

function notHttp(): ConnectionError {
  return new ConnectionError('not-http')
}
