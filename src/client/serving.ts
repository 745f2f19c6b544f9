import type { ServicesInput } from '../services/services.ts'
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
