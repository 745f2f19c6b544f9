import { ModelwireError } from '../core/error.ts'
import type { Services, ServicesInput } from '../services/services.ts'
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

/** Services that load when first asked for: most runtimes never start one. */
export function createServing(input: ServicesInput): Services {
  let loading: Promise<Services> | undefined
  let closed = false
  const make = async (): Promise<Services> => (await import('../services/services.ts')).createServices(input)
  const load = (): Promise<Services> => {
    if (closed) throw new ModelwireError('cancelled', 'The runtime is closed.')
    return (loading ??= make())
  }
  return {
    start: async (id, options) => (await load()).start(id, options),
    stop: async (id) => (await load()).stop(id),
    status: async (id) => (await load()).status(id),
    logs: async (id, lines) => (await load()).logs(id, lines),
    async close() {
      closed = true
      await (await loading)?.close()
    },
  }
}
