import type { Socket } from 'node:net'
import { createSecureContext, getCACertificates } from 'node:tls'
import { Agent, Pool, ProxyAgent, buildConnector, errors } from 'undici'
import type { Dispatcher } from 'undici'
import { ModelwireError } from '../core/error.ts'
import { longestTimer } from '../core/timer.ts'
import type { Connection } from '../wire/call.ts'
import { proxyFor, proxyUrl } from './proxy.ts'
import type { Environment } from './proxy.ts'
import { direct, readDirectly } from './reads.ts'
import type { Target } from './target.ts'

/** Hears how a request goes on. */
export interface Dispatch extends Dispatcher.DispatchHandler {
  /** A socket is opened for it: no idle one was there. */
  opening(socket: Socket): void
}

/** Connections that may stand in for one another. */
export interface ConnectionPool {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatch): void
  /** True while undici is being told that a connection broke: it takes a reset for the decent end of a body without a length. */
  breaking(): boolean
  destroy(): Promise<void>
}

export interface Pools {
  get(target: Target, connection?: Connection): ConnectionPool
  close(): Promise<void>
}

// undici's own clocks are off: ours know whether a reply is streamed and who is waiting for whom.
const shared = {
  allowH2: false,
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
  maxHeaderSize: 64 * 1024,
  keepAliveTimeout: 30_000,
}

const none: Connection = {}

/** Pools by what connections have in common: proxy, certificates, and the time to connect. */
export function createPools(env: Environment, connectTimeout: number): Pools {
  const pools = new Map<string, ConnectionPool>()
  const connecting = new Set<Socket>()
  const routes = new Map<string, string | undefined>() // reading the environment costs microseconds, so once an origin
  let last: { origin: string; connection: Connection; pool: ConnectionPool } | undefined // where most calls go again

  function route(origin: string): string | undefined {
    if (!routes.has(origin)) routes.set(origin, proxyFor(new URL(origin), env))
    return routes.get(origin)
  }

  function get({ origin }: Target, connection: Connection = none): ConnectionPool {
    if (last?.origin !== origin || last.connection !== connection) last = { origin, connection, pool: poolOf(origin, connection) }
    return last.pool
  }

  function poolOf(origin: string, connection: Connection): ConnectionPool {
    const proxy = connection.proxy === undefined ? route(origin) : connection.proxy || undefined
    const timeout = Math.min(connection.connectTimeout ?? connectTimeout, longestTimer) // undici sets timers too
    const key = [timeout, proxy, connection.ca, connection.cert, connection.key].join('\0')
    let pool = pools.get(key)
    if (!pool) {
      pool = proxy === undefined ? straight(connection, timeout, connecting) : proxied(connection, timeout, proxyUrl(proxy))
      pools.set(key, pool)
    }
    return pool
  }

  async function close(): Promise<void> {
    for (const socket of connecting) socket.destroy(new errors.ClientDestroyedError())
    const all = [...pools.values()]
    pools.clear()
    last = undefined
    await Promise.all(all.map((pool) => pool.destroy()))
  }

  return { get, close }
}

function straight(connection: Connection, timeout: number, connecting: Set<Socket>): ConnectionPool {
  const connector = buildConnector({ allowH2: false, timeout: 0, onread: direct, ...context(connection) })
  let waiting: Dispatch | undefined
  let broken = false

  function connect(options: buildConnector.Options, callback: buildConnector.Callback): void {
    let timer: NodeJS.Timeout | undefined
    const done: buildConnector.Callback = (...outcome) => {
      clearTimeout(timer)
      connecting.delete(socket)
      callback(...outcome)
    }
    // The connector gives its socket back, which its type doesn't say: so one that takes too long can be given up alone.
    const socket = connector(options, done) as unknown as Socket
    // undici counts in steps of half a second.
    if (timeout > 0) timer = setTimeout(() => socket.destroy(new errors.ConnectTimeoutError()), timeout)
    connecting.add(socket)
    readDirectly(socket)
    socket.on('error', () => {
      broken = true // undici listens too, and later
      queueMicrotask(() => {
        broken = false
      })
    })
    waiting?.opening(socket)
  }

  const agent = new Agent({ ...shared, connect })
  const dispatch: ConnectionPool['dispatch'] = (options, handler) => {
    waiting = handler
    agent.dispatch(options, handler) // begins a new connection before it returns
    waiting = undefined
  }
  return { dispatch, breaking: () => broken, destroy: () => agent.destroy() }
}

/**
 * Through a proxy: https by CONNECT, so that the proxy sees the host's name and nothing else; http as whole requests, key
 * included, as is the custom.
 */
function proxied(connection: Connection, timeout: number, proxy: URL): ConnectionPool {
  const { ca, cert, key } = connection
  const authority = ca === undefined ? {} : { ca: trusted(ca) }
  const identity = cert === undefined || key === undefined ? {} : { cert, key }
  context(connection) // only to fail here and clearly when they are no certificates
  const agent = new ProxyAgent({
    ...shared,
    uri: proxy.href,
    connectTimeout: timeout,
    requestTls: { ...authority, ...identity, allowH2: false },
    proxyTls: { ...authority, allowH2: false },
    // A proxy that takes the connection and never answers CONNECT counts as a connection that doesn't come about.
    clientFactory: (origin, options) => new Pool(origin, { ...options, allowH2: false, headersTimeout: timeout, bodyTimeout: 0 }),
  })
  return {
    dispatch: (options, handler) => void agent.dispatch(options, handler),
    breaking: () => false,
    destroy: () => agent.destroy(),
  }
}

/** Made once a pool: reading all the system's authorities again for each connection would take milliseconds. */
function context({ ca, cert, key }: Connection): { secureContext?: ReturnType<typeof createSecureContext> } {
  if (ca === undefined && cert === undefined) return {}
  try {
    return { secureContext: createSecureContext({ ...(ca && { ca: trusted(ca) }), ...(cert && { cert }), ...(key && { key }) }) }
  } catch {
    throw new ModelwireError('configuration', 'The certificate or the key for the connection cannot be read.', {
      hint: 'The options `ca`, `cert` and `key` take PEM text, and the key must belong to the certificate.',
    })
  }
}

function trusted(ca: string): string[] {
  return [...getCACertificates('default'), ca]
}
