/**
 * Servers on 127.0.0.1 for tests, on a port of the system's choice.
 *
 * `serveBytes(script)` speaks no HTTP of its own: for each request it runs the script, which writes whatever bytes it
 * likes, whenever it likes, and may end or reset the connection.
 *
 *     const server = await serveBytes(async (wire) => {
 *       wire.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel')
 *       await wire.wait(20)
 *       wire.end()                                   // cut: two bytes are missing
 *     })
 *
 * `serve(handler)` is node:http with the request's body already read.
 *
 *     const server = await serve((request, response) => response.end(`you said ${request.body}`))
 *
 * Both record every request (`requests`), count connections, and tell when a client closes one (`closed`: the
 * performance.now() of the first time). They close at the end of the test that made them, or by `close()`.
 */
import { createServer as createHttp } from 'node:http'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import type { TlsOptions } from 'node:tls'
import { onTestFinished } from 'vitest'

export interface Received {
  method: string
  path: string
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer
  /** Head and body as they came; empty with `serve`. */
  raw: Buffer
  /** performance.now() when it was complete. */
  at: number
  /** Which connection it came by, from 1. */
  connection: number
}

export interface Served {
  /** `http://127.0.0.1:port`, or https with `tls`. */
  url: string
  port: number
  requests: Received[]
  readonly connections: number
  /** performance.now() of the first time that a client closed a connection which the server had not. */
  closed: Promise<number>
  close(): Promise<void>
}

/** The server's end of one connection. */
export interface Wire {
  readonly socket: Socket
  /** False when the client isn't reading fast enough. */
  write(data: string | Uint8Array): boolean
  /** Resolves once what was written has left, or the connection is gone. */
  drained(): Promise<void>
  wait(ms: number): Promise<void>
  /** Closes decently (FIN). */
  end(data?: string | Uint8Array): void
  /** Closes rudely (RST). */
  reset(): void
  readonly gone: boolean
}

export type Script = (wire: Wire, request: Received, count: number) => unknown

export async function serveBytes(script: Script, tls?: TlsOptions): Promise<Served> {
  const requests: Received[] = []
  let connections = 0
  const closed = Promise.withResolvers<number>()

  const accept = (socket: Socket): void => {
    const wire = wireOf(socket, () => closed.resolve(performance.now()))
    const connection = (connections += 1)
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (let request = parse(pending, connection); request; request = parse(pending, connection)) {
        pending = pending.subarray(request.raw.length)
        requests.push(request)
        void script(wire, request, requests.length)
      }
    })
  }
  const server = tls ? createTls(tls, accept) : createServer(accept)
  return listen(server, { scheme: tls ? 'https' : 'http', requests, closed: closed.promise, connections: () => connections })
}

export type Handler = (request: Received, response: ServerResponse) => unknown

export async function serve(handler: Handler): Promise<Served> {
  const requests: Received[] = []
  const numbers = new Map<Socket, number>()
  const closed = Promise.withResolvers<number>()

  const server = createHttp(async (message, response) => {
    const parts: Buffer[] = []
    for await (const part of message) parts.push(part)
    const headers = Object.fromEntries(
      Object.entries(message.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
    )
    const request: Received = {
      method: message.method ?? '',
      path: message.url ?? '',
      headers,
      body: Buffer.concat(parts),
      raw: Buffer.alloc(0),
      at: performance.now(),
      connection: numbers.get(message.socket) ?? 0,
    }
    requests.push(request)
    await handler(request, response)
  })
  server.on('connection', (socket: Socket) => {
    numbers.set(socket, numbers.size + 1)
    socket.on('close', () => closed.resolve(performance.now()))
  })
  return listen(server, { scheme: 'http', requests, closed: closed.promise, connections: () => numbers.size })
}

interface Kept {
  scheme: string
  requests: Received[]
  closed: Promise<number>
  connections: () => number
}

async function listen(server: Server, kept: Kept): Promise<Served> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP

  const close = async (): Promise<void> => {
    const done = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await done
  }
  try {
    onTestFinished(close)
  } catch {
    // Made outside of a test (beforeAll, a benchmark): the maker closes it.
  }
  const { requests, closed } = kept
  return {
    url: `${kept.scheme}://127.0.0.1:${port}`,
    port,
    requests,
    closed,
    close,
    get connections() {
      return kept.connections()
    },
  }
}

function wireOf(socket: Socket, left: () => void): Wire {
  let ours = false
  let gone = false
  const leave = (): void => {
    gone = true
    if (!ours) left()
  }
  socket.on('error', leave).on('end', leave).on('close', leave)
  return {
    socket,
    write: (data) => !gone && socket.write(data),
    drained: () =>
      new Promise((resolve) =>
        gone || !socket.writableNeedDrain ? resolve() : socket.once('drain', resolve).once('close', resolve),
      ),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    end(data = '') {
      ours = true
      socket.end(data)
    },
    reset() {
      ours = true
      socket.resetAndDestroy()
    },
    get gone() {
      return gone
    },
  }
}

/** The first whole request of these bytes; a body is what its Content-Length says. */
function parse(bytes: Buffer, connection: number): Received | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const [method = '', path = ''] = first.split(' ')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const size = end + 4 + Number(headers['content-length'] ?? 0)
  if (bytes.length < size) return undefined
  const raw = Buffer.from(bytes.subarray(0, size))
  return { method, path, headers, body: raw.subarray(end + 4), raw, at: performance.now(), connection }
}
