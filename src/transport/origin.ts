import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net'
import { type ConnectionOptions, type SecureContext, connect as connectTls } from 'node:tls'
import { Connection, type Open, type Owner } from './connection.ts'
import { ConnectionError } from './failure.ts'
import type { ConnectionPool, Flow, Listener, Outgoing } from './pool.ts'

/** The connections to one server. Who needs one takes the one that was used last, or opens another: nobody waits for a connection. */
export class Origin implements ConnectionPool, Owner {
  readonly #open: Open
  readonly #connectTimeout: number
  readonly #all = new Set<Connection>()
  #idle: Connection[] = []
  #sweeper: NodeJS.Timeout | undefined

  /** `connectTimeout`: milliseconds, 0 for no clock. */
  constructor(open: Open, connectTimeout: number) {
    this.#open = open
    this.#connectTimeout = connectTimeout
  }

  send(request: Outgoing, listener: Listener, fresh: boolean): Flow {
    const connection = (fresh ? undefined : this.#kept()) ?? this.#another()
    connection.send(request, listener)
    return connection
  }

  idle(connection: Connection, keep: number): void {
    connection.expires = performance.now() + keep
    this.#idle.push(connection)
    this.#sweepIn(keep)
  }

  gone(connection: Connection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  destroy(): Promise<void> {
    clearTimeout(this.#sweeper)
    for (const connection of this.#all) connection.destroy(new ConnectionError('destroyed'))
    return Promise.resolve()
  }

  #another(): Connection {
    const connection = new Connection(this.#open, this.#connectTimeout, this)
    this.#all.add(connection)
    return connection
  }

  #kept(): Connection | undefined {
    const now = performance.now()
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.expires > now) return last
      last.destroy()
    }
    return undefined
  }

  /** Lets go of what nobody used for too long. */
  #sweep(): void {
    this.#sweeper = undefined
    const now = performance.now()
    let next = Infinity
    for (const connection of this.#idle.slice()) {
      if (connection.expires <= now) connection.destroy()
      else next = Math.min(next, connection.expires)
    }
    if (next < Infinity) this.#sweepIn(next - now)
  }

  #sweepIn(ms: number): void {
    this.#sweeper ??= setTimeout(() => this.#sweep(), ms).unref()
  }
}

const keepAliveMs = 60_000

/** How to open a connection to an origin, `https://host:port`. */
export function opener(origin: string, secureContext: SecureContext | undefined): Open {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol === 'http:') {
    return (onread) =>
      connectTcp({ host, port: Number(port || 80), onread })
        .setNoDelay(true)
        .setKeepAlive(true, keepAliveMs)
  }
  const servername = isIP(host) === 0 ? host : ''
  let session: Buffer | undefined // a handshake that goes on from the last one takes half the time
  return (onread) => {
    const options: ConnectionOptions & Pick<TcpNetConnectOpts, 'onread'> = {
      host,
      port: Number(port || 443),
      servername,
      ALPNProtocols: ['http/1.1'],
      onread,
      ...(session && { session }),
      ...(secureContext && { secureContext }),
    }
    const socket = connectTls(options)
    socket.on('session', (given) => (session = given))
    return socket.setNoDelay(true).setKeepAlive(true, keepAliveMs)
  }
}
