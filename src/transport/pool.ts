import type { DataSink } from './chunked.ts'
import type { Target } from './target.ts'

/** A request made ready for the wire. */
export interface Outgoing {
  target: Target
  method: string
  headers: Record<string, string>
  body: Uint8Array | string | null
  /** Bytes of the decoded reply body at most. */
  maxBytes: number
}

/** Hears how a request goes on: a head, data, and the end; or, wherever that breaks off, what was lost. */
export interface Listener {
  /** Says who takes the body. */
  head(status: number, headers: Record<string, string>): DataSink | undefined
  end(): void
  /** Nothing follows. */
  fail(error: Error): void
  /** The server closed a kept connection just as we wrote. Without a byte of an answer it is safe to say it again, once. */
  lost(): void
}

/** A request under way. */
export interface Flow {
  pause(): void
  resume(): void
  /** Destroys the connection. The listener hears nothing more. */
  abort(): void
}

/** Connections that may stand in for one another. */
export interface ConnectionPool {
  /** Never calls the listener before it returns. `fresh`: over a new connection. */
  send(request: Outgoing, listener: Listener, fresh: boolean): Flow
  /** Ends all of them, and what is under way. */
  destroy(): Promise<void>
}
