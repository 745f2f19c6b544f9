import { randomBytes } from 'node:crypto'
import { race } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import { checkSpan } from '../core/timer.ts'
import type { Catalog } from '../manifest/catalog.ts'
import { readAuth } from '../manifest/compile.ts'
import { compileService, type Service } from '../manifest/service.ts'
import type { Transport } from '../wire/call.ts'
import { type Asked, askHealth } from './health.ts'
import { chooseWay } from './launch.ts'
import type { Log } from './log.ts'
import { loopback } from './port.ts'
import { type Managed, manage } from './managed.ts'
import type { Served, ServiceOptions, ServiceStatus } from './status.ts'

export interface ServicesInput {
  catalog: Catalog
  env: Record<string, string | undefined>
  transport: Transport
  /** The caller's own settings for a provider: they win. */
  settings(id: string): { baseUrl: string | undefined; apiKey: string | undefined }
  /** Tells where calls to a provider go from now on; nothing: where they went before. */
  serve(id: string, served: Served | undefined): void
}

export interface Services {
  /** Starts the engine behind a provider and waits until it is healthy. One that runs is left as it is. */
  start(id: string, options?: ServiceOptions): Promise<ServiceStatus>
  /** Ends what `start` started; what somebody else runs is left alone. */
  stop(id: string): Promise<void>
  status(id: string): Promise<ServiceStatus>
  /** Those that were started here. */
  started(): string[]
  /** The newest lines of its output. */
  logs(id: string, lines?: number): Promise<string[]>
  /** Ends all. */
  close(): Promise<void>
}

export function createServices({ catalog, env, transport, settings, serve }: ServicesInput): Services {
  const entries = new Map<string, Entry>()
  let closed = false

  const describe = (id: string): Service => {
    const service = compileService(catalog.resolve(id))
    if (service !== undefined) return service
    throw new ModelwireError('unsupported', `the manifest "${id}" doesn't say how it is started`, {
      provider: id,
      hint: 'give it a `service`, or start it yourself and pass its `baseUrl`',
    })
  }

  /** Where calls go when nothing was started. */
  const usual = (id: string): string | undefined => {
    const base = settings(id).baseUrl ?? catalog.resolve(id)['base']
    return typeof base === 'string' && URL.canParse(base) ? base : undefined
  }

  const baseUrl = (id: string, { url }: Managed): string => {
    const base = usual(id)
    return base === undefined ? url : url + new URL(base).pathname.replace(/\/$/, '')
  }

  const ask = (id: string, service: Service, origin: string, key: string | undefined, signal: AbortSignal): Promise<Asked> =>
    askHealth(transport, origin, service.health, { auth: readAuth(catalog.resolve(id)['auth']), key }, signal)

  const foreign = async (id: string, service: Service, port: number | undefined, signal: AbortSignal): Promise<ServiceStatus> => {
    const base = usual(id)
    const origin = port !== undefined ? `http://${loopback}:${port}` : base === undefined ? undefined : new URL(base).origin
    if (origin === undefined) return { id, running: false, healthy: false, managed: false }
    const { healthy, error } = await ask(id, service, origin, settings(id).apiKey, signal)
    return { id, running: healthy, healthy, managed: false, url: origin, ...(error === undefined ? {} : { error }) }
  }

  /** Nothing when somebody else runs it. */
  const begin = async (
    id: string,
    service: Service,
    options: ServiceOptions,
    entry: Omit<Entry, 'made'>,
  ): Promise<Managed | undefined> => {
    const { signal } = entry.leave
    if ((await foreign(id, service, options.port, signal)).healthy) return undefined
    const own = settings(id)
    const way = chooseWay(id, service, options.way, env)
    const key = options.apiKey === false ? undefined : (options.apiKey ?? own.apiKey ?? randomBytes(24).toString('base64url'))
    const apiKey = way.keyed ? key : undefined
    const made = await manage({
      id,
      service,
      way,
      env,
      options,
      apiKey,
      port: portOf(id, own.baseUrl, options.port) ?? service.port,
      ask: (origin, inner) => ask(id, service, origin, apiKey, inner),
      begun: (log) => (entry.log = log),
      signal,
    })
    serve(id, { baseUrl: baseUrl(id, made), apiKey })
    return made
  }

  const told = async (id: string, service: Service, made: Managed, signal: AbortSignal): Promise<ServiceStatus> => {
    const { url, pid, how, startedAt, apiKey } = made
    const about = {
      id,
      managed: true,
      url,
      baseUrl: baseUrl(id, made),
      how,
      startedAt,
      keyed: apiKey !== undefined,
      ...(pid === undefined ? {} : { pid }),
    }
    if (made.ended !== undefined) return { ...about, running: false, healthy: false, error: made.ended }
    const { healthy, error } = await ask(id, service, url, apiKey, signal)
    return { ...about, running: true, healthy, ...(error === undefined ? {} : { error }) }
  }

  const start: Services['start'] = async (id, options = {}) => {
    checkSpan(options.within, { name: 'within', kind: 'invalid_request' })
    const signal = options.signal ?? new AbortController().signal
    const service = describe(id)
    for (let known = entries.get(id); known !== undefined; known = entries.get(id)) {
      const made = await race(known.made, signal)
      if (made === undefined) return foreign(id, service, options.port, signal)
      if (made.ended === undefined) return told(id, service, made, signal)
      await stop(id) // it ended by itself: away with what is left of it
    }
    if (closed) throw new ModelwireError('cancelled', 'The runtime is closed.')
    const leave = new AbortController()
    const left = (): void => leave.abort(signal.reason)
    if (signal.aborted) left()
    signal.addEventListener('abort', left, { once: true })
    const entry: Omit<Entry, 'made'> = { leave, log: undefined, starting: true }
    const whole: Entry = Object.assign(entry, { made: begin(id, service, options, entry) })
    entries.set(id, whole)
    try {
      const made = await whole.made
      if (made !== undefined) return await told(id, service, made, signal)
      entries.delete(id)
      return await foreign(id, service, options.port, signal)
    } catch (error) {
      if (entries.get(id) === whole && whole.starting) entries.delete(id)
      throw error
    } finally {
      whole.starting = false
      signal.removeEventListener('abort', left)
    }
  }

  const stop: Services['stop'] = async (id) => {
    const known = entries.get(id)
    if (known === undefined) return
    known.leave.abort(new ModelwireError('cancelled', `"${id}" was stopped while it started.`))
    const made = await known.made.catch(() => undefined) // who waits for the start has been told
    await made?.stop()
    if (entries.get(id) === known) entries.delete(id)
    serve(id, undefined)
  }

  return {
    start,
    stop,
    async status(id) {
      const service = describe(id)
      const { signal } = new AbortController()
      const known = entries.get(id)
      if (known?.starting === true) return { id, running: true, healthy: false, managed: true, error: 'it is starting' }
      const made = await known?.made
      return made === undefined ? foreign(id, service, undefined, signal) : told(id, service, made, signal)
    },
    started: () => [...entries.keys()],
    async logs(id, lines = 100) {
      describe(id)
      const known = entries.get(id)
      if (known?.starting === true) return known.log?.tail(lines) ?? []
      return (await known?.made)?.logs(lines) ?? []
    },
    async close() {
      closed = true
      await Promise.all([...entries.keys()].map(stop))
    },
  }
}

/** A service that was started, or is about to be. */
interface Entry {
  /** Nothing when somebody else runs it. */
  made: Promise<Managed | undefined>
  /** Gives up the start. */
  leave: AbortController
  /** What it has printed while it starts. */
  log: Log | undefined
  starting: boolean
}

/** A caller's own address wins, so that is where the engine has to listen. */
function portOf(id: string, baseUrl: string | undefined, asked: number | undefined): number | undefined {
  if (baseUrl === undefined) return asked
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  const local = url?.protocol === 'http:' && [loopback, 'localhost'].includes(url.hostname)
  const port = Number(url?.port === '' ? 80 : url?.port)
  if (local && (asked === undefined || asked === port)) return port
  throw new ModelwireError(
    'configuration',
    `calls to "${id}" go to a \`baseUrl\` of its own: they would not reach what is started`,
    {
      provider: id,
      hint: 'leave `baseUrl` out, or let it name the loopback address and the port of the start',
    },
  )
}
