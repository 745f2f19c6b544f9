import type { OnReadOpts, Socket } from 'node:net'
import type { DataSink } from './chunked.ts'
import { ConnectionError, lostRace } from './failure.ts'
import { requestHead } from './headers.ts'
import { room } from './lent.ts'
import type { Flow, Listener, Outgoing } from './pool.ts'
import { ReplyParser, type ReplySink } from './reply.ts'
import { rest, type Resting } from './rest.ts'

/** Opens a socket whose reads go to `onread`. */
export type Open = (onread: OnReadOpts) => Socket

/** Whom a connection belongs to. */
export interface Owner {
  /** It may be used again, for so many milliseconds. */
  idle(connection: Connection, keep: number): void
  gone(connection: Connection): void
}

/**
 * A connection over which one request at a time goes out and its reply comes in. All sockets read to the same memory, and what came
 * is parsed in the very turn in which it came: Node's own way (64 KB of memory, a queue and another turn a read) is a sixth of
 * what an event costs that comes alone.
 */
export class Connection implements Flow, ReplySink, Resting {
  /** When it is too old to be used again, by `performance.now()`. */
  expires = 0
  readonly #owner: Owner
  readonly #socket: Socket
  readonly #parser = new ReplyParser(this)
  #connectTimer: NodeJS.Timeout | undefined
  #gone = false
  /** Open, its certificate checked, and rested. */
  #ready = false
  /** Waits for that. */
  #waiting: Outgoing | undefined
  #listener: Listener | undefined
  #kept = false
  #answered = false
  #startedAt = 0

  /** `connectTimeout`: milliseconds, 0 for no clock. */
  constructor(open: Open, connectTimeout: number, owner: Owner) {
    this.#owner = owner
    const socket = open({ buffer: room, callback: (length) => this.#came(length) })
    this.#socket = socket
    if (connectTimeout > 0)
      this.#connectTimer = setTimeout(() => this.destroy(new ConnectionError('connect-timeout')), connectTimeout)
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.#opened())
    socket.on('end', () => this.destroy(this.#parser.close()))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
  }

  send(request: Outgoing, listener: Listener): void {
    this.#listener = listener
    this.#answered = false
    this.#startedAt = performance.now()
    if (this.#kept) this.#socket.ref()
    if (this.#ready) this.#write(request)
    else this.#waiting = request
  }

  rested(): void {
    this.#ready = true
    const request = this.#waiting
    this.#waiting = undefined
    if (request !== undefined) this.#write(request)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  abort(): void {
    this.#listener = undefined
    this.destroy()
  }

  /** It can't be used any more, and what is under way ends with `error`. Only the first reason counts. */
  destroy(error?: Error): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#connectTimer)
    this.#parser.stop()
    this.#owner.gone(this)
    const listener = this.#listener
    this.#listener = undefined
    this.#waiting = undefined
    this.#socket.destroy()
    if (listener === undefined) return
    const why = error ?? new ConnectionError('closed')
    if (this.#kept && !this.#answered && lostRace(why, this.#startedAt)) listener.lost()
    else listener.fail(why)
  }

  head(status: number, headers: Record<string, string>): DataSink | undefined {
    return this.#listener?.head(status, headers)
  }

  end(keep: number): void {
    const listener = this.#listener
    this.#listener = undefined
    // A server may answer without having read it all: what is left would stand before the next request.
    if (keep > 0 && this.#socket.writableLength === 0) {
      if (this.#socket.isPaused()) this.#socket.resume()
      this.#socket.unref()
      this.#ready = false
      // A server that closes a connection though it didn't say so does it right behind its first reply.
      rest(this, !this.#kept)
      this.#kept = true
      this.#owner.idle(this, keep)
    } else this.destroy()
    listener?.end()
  }

  #opened(): void {
    clearTimeout(this.#connectTimer)
    this.rested()
  }

  /** Head and body in one go. The head is Latin-1, since keys may be. */
  #write(request: Outgoing): void {
    this.#parser.begin(request.method)
    const head = requestHead(request)
    if (request.body === null) return void this.#socket.write(head, 'latin1')
    this.#socket.cork()
    this.#socket.write(head, 'latin1')
    this.#socket.write(request.body)
    this.#socket.uncork()
  }

  #came(length: number): boolean {
    if (this.#listener === undefined || this.#waiting !== undefined) this.destroy() // nobody has asked
    else {
      this.#answered = true
      const trouble = this.#parser.parse(room, length)
      if (trouble !== undefined) this.destroy(trouble)
    }
    return true
  }
}
