import type { SecureContextOptions } from 'node:tls'
import type { Dispatcher, ProxyAgent } from 'undici'
import type { DataSink } from './chunked.ts'
import { lostRace } from './failure.ts'
import type { ConnectionPool, Flow, Listener, Outgoing } from './pool.ts'

export interface ProxyOptions {
  proxy: URL
  /** Milliseconds to connect, 0 for no clock. */
  connectTimeout: number
  /** What speaks for the servers, beside what speaks for them anyway, and for us. */
  authority: Pick<SecureContextOptions, 'ca'>
  identity: Pick<SecureContextOptions, 'cert' | 'key'>
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

/**
 * Through a proxy: https by CONNECT, so that the proxy sees the host's name and nothing else; http as whole requests, key
 * included, as is the custom.
 */
export function proxied(options: ProxyOptions): ConnectionPool {
  let agent: Promise<ProxyAgent> | undefined
  return {
    send(request, listener, fresh) {
      const call = new ProxiedCall(request, listener, fresh)
      agent ??= open(options) // undici takes some 60 ms to load: who needs no proxy doesn't pay for it
      void agent.then((opened) => call.dispatch(opened))
      return call
    },
    async destroy() {
      await (await agent)?.destroy()
    },
  }
}

async function open({ proxy, connectTimeout, authority, identity }: ProxyOptions): Promise<ProxyAgent> {
  const { Pool, ProxyAgent } = await import('undici')
  return new ProxyAgent({
    ...shared,
    uri: proxy.href,
    connectTimeout,
    requestTls: { ...authority, ...identity, allowH2: false },
    proxyTls: { ...authority, allowH2: false },
    // A proxy that takes the connection and never answers CONNECT counts as a connection that doesn't come about.
    clientFactory: (origin, factory) =>
      new Pool(origin, { ...factory, allowH2: false, headersTimeout: connectTimeout, bodyTimeout: 0 }),
  })
}

/** A listener as undici calls one. */
class ProxiedCall implements Flow, Dispatcher.DispatchHandler {
  readonly #request: Outgoing
  readonly #listener: Listener
  readonly #fresh: boolean
  #controller: Dispatcher.DispatchController | undefined
  #given = false
  #startedAt = 0
  #answered = false
  #taker: DataSink | undefined

  constructor(request: Outgoing, listener: Listener, fresh: boolean) {
    this.#request = request
    this.#listener = listener
    this.#fresh = fresh
  }

  dispatch(agent: ProxyAgent): void {
    if (this.#given) return
    const { target, method, headers, body } = this.#request
    // The clocks are given here too, because undici's way through a proxy makes connections without the pool's options.
    agent.dispatch({ origin: target.origin, path: target.path, method, headers, body, headersTimeout: 0, bodyTimeout: 0 }, this)
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    this.#given = true
    this.#controller?.abort(new Error('nobody reads it'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#startedAt = performance.now()
    if (this.#given) this.abort()
  }

  onResponseStarted(): void {
    this.#answered = true
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, raw: Record<string, string | string[] | undefined>): void {
    if (status >= 200 && !this.#given) this.#taker = this.#listener.head(status, joined(raw))
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#given) this.#taker?.data(chunk)
  }

  onResponseEnd(): void {
    if (!this.#given) this.#listener.end()
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#given) return
    this.#given = true
    if (this.#fresh || this.#answered || !lostRace(error, this.#startedAt)) this.#listener.fail(error)
    else queueMicrotask(() => this.#listener.lost()) // undici is still busy with the connection that closed
  }
}

/** undici's headers as ours: one text a name. */
function joined(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (value === undefined || name === '__proto__') continue
    headers[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return headers
}
