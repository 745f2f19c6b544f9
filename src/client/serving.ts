import { ModelwireError } from '../core/error.ts'
import type { Services, ServicesInput } from '../services/services.ts'
import type { ServiceOptions, ServiceStatus } from '../services/status.ts'
import { type RuntimeOptions, settingsOf } from './options.ts'

export type { ServiceOptions, ServiceStatus } from '../services/status.ts'

/**
 * How started services and the settings for their providers meet. `options` is the runtime's own copy: a service is entered
 * into it, and what the caller had set stays and wins.
 */
export function served(
  options: RuntimeOptions & { providers: NonNullable<RuntimeOptions['providers']> },
): Pick<ServicesInput, 'settings' | 'serve'> {
  const before = { ...options.providers }
  return {
    settings(id) {
      const { own, baseUrl } = settingsOf({ ...options, providers: before }, id)
      const apiKey = typeof own.apiKey === 'function' ? own.apiKey() : own.apiKey
      return { baseUrl, apiKey }
    },
    serve(id, now) {
      const own = before[id]
      if (now !== undefined) {
        const { baseUrl, apiKey } = now
        options.providers[id] = { baseUrl, ...own, ...(apiKey === undefined ? {} : { apiKey }) }
      } else if (own === undefined) delete options.providers[id]
      else options.providers[id] = own
    },
  }
}

/** Engines as services, by the `service` of their manifests. They throw `unsupported` where there is none. */
export interface Serving {
  /**
   * Starts the engine behind a provider and waits until it is healthy; calls to the provider go there from then on. One that
   * runs already is left as it is. Throws with the engine's last words when it ends instead.
   */
  startService(id: string, options?: ServiceOptions): Promise<ServiceStatus>
  /** Ends what `startService` started, all of its processes; what somebody else runs is left alone. */
  stopService(id: string): Promise<void>
  /** Whether an engine runs, and what it says of its health; asked now. */
  serviceStatus(id: string): Promise<ServiceStatus>
  /** The newest lines that a started engine has printed; 100 of them when absent. */
  serviceLogs(id: string, lines?: number): Promise<string[]>
}

/** Services that load when first asked for: most runtimes never start one. */
export function createServing(input: ServicesInput): {
  serving: Serving
  /** Those that were started here, asked now. */
  statuses(): Promise<ServiceStatus[]>
  close(): Promise<void>
} {
  let loading: Promise<Services> | undefined
  let closed = false
  const make = async (): Promise<Services> => (await import('../services/services.ts')).createServices(input)
  const load = (): Promise<Services> => {
    if (closed) throw new ModelwireError('cancelled', 'The runtime is closed.')
    return (loading ??= make())
  }
  return {
    serving: {
      startService: async (id, options) => (await load()).start(id, options),
      stopService: async (id) => (await load()).stop(id),
      serviceStatus: async (id) => (await load()).status(id),
      serviceLogs: async (id, lines) => (await load()).logs(id, lines),
    },
    async statuses() {
      const services = await loading
      return services === undefined ? [] : Promise.all(services.started().map((id) => services.status(id)))
    },
    async close() {
      closed = true
      await (await loading)?.close()
    },
  }
}
