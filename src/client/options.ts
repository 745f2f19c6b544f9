import { ModelwireError } from '../core/error.ts'
import type { RetryOptions, Timeouts } from '../core/request.ts'
import type { Connection } from '../wire/call.ts'

export interface Limits {
  /** Bytes of one event of a stream; 16 MB when absent. */
  event?: number
  /** Bytes of a whole reply that isn't streamed; 64 MB when absent. */
  reply?: number
  /** Calls to one provider at once, streams until their end; no bound when absent. MODELWIRE_MAX_INFLIGHT sets it too. */
  inflight?: number
  /** Calls that may wait for a place; 1,000 when absent. */
  queue?: number
}

/** What can be set for one provider; the rest are values of the manifest's variables. */
export interface ProviderOptions {
  apiKey?: string | (() => string)
  /** Replaces the manifest's address. */
  baseUrl?: string
  headers?: Record<string, string>
  /** A named alternative wire for every call. */
  wire?: string
  timeouts?: Timeouts
  retry?: RetryOptions | false
  limits?: Limits
  /** A proxy's URL; false for none even if the environment names one. */
  proxy?: string | false
  /** PEM text of an authority to trust besides the system's. */
  ca?: string
  /** PEM texts of a client certificate and its key. */
  cert?: string
  key?: string
  [variable: string]: unknown
}

/** How structured tasks are run and kept. */
export interface TaskOptions {
  /** Files of tasks, or folders of such, besides the folders `tasks` of `protocols`. */
  paths?: string | string[]
  /** Keeps a file a task there; they are listed again by the next process. */
  folder?: string
  /** Tasks at once; 4 when absent. */
  concurrency?: number
  /** Tasks that may wait; 1,000 when absent. */
  queue?: number
}

export interface RuntimeOptions {
  /** Folders or files with manifests, over the bundled ones and those of MODELWIRE_PROTOCOLS. */
  protocols?: string | string[]
  providers?: Record<string, ProviderOptions>
  /** A warning is an error. */
  strict?: boolean
  timeouts?: Timeouts
  retry?: RetryOptions | false
  limits?: Limits
  tasks?: TaskOptions
  /** False: every frame of a stream is parsed, none is read by the shape of those before it. For comparing; there is no other difference. */
  learn?: boolean
  /** Looks at the files again on each use; a broken one keeps its last good version. */
  watch?: boolean
  /** Hears of manifests that broke while the last good version stays in use. */
  onManifestError?: (error: ModelwireError) => void
  /** The environment to read; `process.env` when absent. */
  env?: Record<string, string | undefined>
}

/** Everything that is set for one provider, from the runtime's options and the environment. */
export interface Settings {
  own: ProviderOptions
  baseUrl: string | undefined
  timeouts: Timeouts
  retry: RetryOptions | false | undefined
  limits: Limits & { event: number; reply: number }
  connection: Connection
}

const megabyte = 1_048_576

const noOptions: ProviderOptions = {}

function ownOf({ providers }: RuntimeOptions, provider: string): ProviderOptions {
  return providers !== undefined && Object.hasOwn(providers, provider) ? (providers[provider] ?? noOptions) : noOptions
}

const mostProviders = 1_000 // names may come from outside

/** The same settings again until the provider's own options are others: to ask the environment for a variable costs a microsecond. */
export function createSettings(options: RuntimeOptions): (provider: string) => Settings {
  const known = new Map<string, Settings>()
  return (provider) => {
    const before = known.get(provider)
    if (before !== undefined && before.own === ownOf(options, provider)) return before
    const made = settingsOf(options, provider)
    if (known.size >= mostProviders) known.clear()
    known.set(provider, made)
    return made
  }
}

export function settingsOf(options: RuntimeOptions, provider: string): Settings {
  const env = options.env ?? process.env
  const own = ownOf(options, provider)
  const total = numberOf('MODELWIRE_TIMEOUT_MS', env)
  const inflight = numberOf('MODELWIRE_MAX_INFLIGHT', env)
  const timeouts = { ...(total === undefined ? {} : { total }), ...options.timeouts, ...own.timeouts }
  return {
    own,
    baseUrl: own.baseUrl ?? env[`MODELWIRE_${variableName(provider)}_BASE_URL`],
    timeouts,
    retry: own.retry ?? options.retry,
    limits: {
      event: 16 * megabyte,
      reply: 64 * megabyte,
      ...(inflight === undefined ? {} : { inflight }),
      ...options.limits,
      ...own.limits,
    },
    connection: connectionOf(own, timeouts.connect),
  }
}

function connectionOf({ proxy, ca, cert, key }: ProviderOptions, connectTimeout: number | undefined): Connection {
  return {
    ...(proxy === undefined ? {} : { proxy }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(connectTimeout === undefined ? {} : { connectTimeout }),
  }
}

/** `my-server` → `MY_SERVER`. */
export function variableName(provider: string): string {
  return provider.toUpperCase().replace(/[^A-Z0-9]+/g, '_')
}

function numberOf(name: string, env: Record<string, string | undefined>): number | undefined {
  const text = env[name]
  if (text === undefined || text.trim() === '') return undefined
  const value = Number(text)
  if (Number.isFinite(value) && value >= 0) return value
  throw new ModelwireError('configuration', `${name} must be a number, got ${JSON.stringify(text)}`)
}
