import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { ModelwireError } from '../core/error.ts'
import { longestTimer } from '../core/timer.ts'
import type { Connection } from '../wire/call.ts'
import { Origin, opener } from './origin.ts'
import type { ConnectionPool } from './pool.ts'
import { proxied } from './proxied.ts'
import { proxyFor, proxyUrl } from './proxy.ts'
import type { Environment } from './proxy.ts'
import type { Target } from './target.ts'

export interface Pools {
  get(target: Target, connection?: Connection): ConnectionPool
  close(): Promise<void>
}

const none: Connection = {}

/** Pools by what connections have in common: server or proxy, certificates, and the time to connect. */
export function createPools(env: Environment, connectTimeout: number): Pools {
  const pools = new Map<string, ConnectionPool>()
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
    const timeout = Math.min(connection.connectTimeout ?? connectTimeout, longestTimer)
    const key = [proxy === undefined ? origin : '', timeout, proxy, connection.ca, connection.cert, connection.key].join('\0')
    let pool = pools.get(key)
    if (!pool) {
      pool = proxy === undefined ? straight(origin, connection, timeout) : through(proxyUrl(proxy), connection, timeout)
      pools.set(key, pool)
    }
    return pool
  }

  async function close(): Promise<void> {
    const all = [...pools.values()]
    pools.clear()
    last = undefined
    await Promise.all(all.map((pool) => pool.destroy()))
  }

  return { get, close }
}

function straight(origin: string, connection: Connection, connectTimeout: number): ConnectionPool {
  return new Origin(opener(origin, context(connection)), connectTimeout)
}

function through(proxy: URL, connection: Connection, connectTimeout: number): ConnectionPool {
  const { ca, cert, key } = connection
  context(connection) // only to fail here and clearly when they are no certificates
  return proxied({
    proxy,
    connectTimeout,
    authority: ca === undefined ? {} : { ca: trusted(ca) },
    identity: cert === undefined || key === undefined ? {} : { cert, key },
  })
}

/** Made once a pool: reading all the system's authorities again for each connection would take milliseconds. */
function context({ ca, cert, key }: Connection): SecureContext | undefined {
  if (ca === undefined && cert === undefined) return undefined
  try {
    return createSecureContext({ ...(ca && { ca: trusted(ca) }), ...(cert && { cert }), ...(key && { key }) })
  } catch {
    throw new ModelwireError('configuration', 'The certificate or the key for the connection cannot be read.', {
      hint: 'The options `ca`, `cert` and `key` take PEM text, and the key must belong to the certificate.',
    })
  }
}

function trusted(ca: string): string[] {
  return [...getCACertificates('default'), ca]
}
