/** One HTTP call, or the input of another transport. Header names are lower case. */
export interface Call {
  /** Of HTTP, or `RUN` for a transport that works in this process. */
  method: string
  /** The address; for `RUN` the name of what the transport does. */
  url: string
  headers: Record<string, string>
  /** Encoded for HTTP; for other transports the body as the manifest's template made it. */
  body?: Uint8Array | string | object
  /** Bytes of the decoded reply body at most; beyond it the reply is an error. Absent: the transport's own bound. */
  maxBytes?: number
  /** What the connection needs; never part of the request itself. */
  connection?: Connection
}

/** How a provider is reached, by runtime options. */
export interface Connection {
  /** Proxy URL; `false` for none even if the environment names one. */
  proxy?: string | false
  /** PEM text of a certificate authority to trust besides the system's. */
  ca?: string
  /** PEM texts of a client certificate and its key. */
  cert?: string
  key?: string
  /** Milliseconds. */
  connectTimeout?: number
}

/** A piece of a reply: bytes off a network, or a frame that a transport in this process made. */
export type Chunk = Uint8Array | object

/** What came back. `body` yields bytes, or a transport's own frames. */
export interface Reply {
  status: number
  /** Names in lower case; repeated ones joined with `, `. */
  headers: Record<string, string>
  /** Can be iterated once. Leaving the loop closes the connection. */
  body: AsyncIterable<Chunk>
  /** The same body without promises, where the transport has it so. Either this or `body` is read. */
  inflow?: Inflow | undefined
  /**
   * Says that the rest isn't needed: a body that ends soon gives its connection back, any other is closed. Resolves when it is
   * known which, but waits no longer than a moment; undefined when there is nothing to wait for.
   */
  release(): Promise<void> | undefined
}

/** A body that is read as it comes: one call for what is there, one call back when there is more. */
export interface Inflow {
  /**
   * The next piece; undefined when none is there yet, null at the end. After a failure it first gives what came before it, then
   * throws. Bytes that are read while `wake` calls back are lent until it returns: who keeps them copies them.
   */
  read(): Chunk | undefined | null
  /** Calls back, once, when `read` has something to say. */
  wake(back: () => void): void
  /** Closes the connection. */
  leave(): Promise<unknown>
}

/** The bytes of a reply that came over a network. Leaving the loop closes the connection. */
export async function* bytesOf({ body }: Pick<Reply, 'body'>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) if (chunk instanceof Uint8Array) yield chunk
}

const requestIds = ['x-request-id', 'request-id', 'x-amzn-requestid', 'apim-request-id', 'x-goog-request-id', 'cf-ray']

/** What the other side calls this exchange, to ask it about. */
export function requestIdOf(headers: Record<string, string>): string | undefined {
  for (const name of requestIds) if (headers[name] !== undefined) return headers[name]
  return undefined
}

/** Sends one call. Throws a ModelwireError of kind `network`, `timeout`, `cancelled` or `configuration`. */
export type Transport = (call: Call, signal: AbortSignal) => Promise<Reply>
