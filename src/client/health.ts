import type { ServiceStatus } from '../services/status.ts'
import type { EngineHealth } from '../wire/engine.ts'
import type { Meter } from './metrics.ts'
import { engineNames, type EngineName, type Transports } from './transports.ts'

export type { Device, EngineHealth, LoadedModel } from '../wire/engine.ts'

/** How a runtime and what it holds are doing. */
export interface Health {
  /** `degraded` when a service that was started isn't healthy. */
  status: 'ok' | 'degraded'
  /** Milliseconds since the runtime was made. */
  uptimeMs: number
  /** Calls that are under way. */
  activeCalls: number
  memory: { rssBytes: number; freeBytes: number }
  /** Models in this process, by the name of the engine: what computes, devices and their free memory, what is loaded. */
  engines: Record<EngineName, EngineHealth>
  /** Engines outside of it that this runtime started, by provider. */
  services: Record<string, ServiceStatus>
}

export interface HealthInput {
  transports: Transports
  meter: Meter
  /** Of the services that were started. */
  statuses(): Promise<ServiceStatus[]>
}

/** Loads engines' code where it is installed, but no model; asks the services that were started. */
export function createHealth({ transports, meter, statuses }: HealthInput): () => Promise<Health> {
  const started = performance.now()
  return async () => {
    const engines = await Promise.all(
      engineNames.map(async (name) => [name, await (await transports.engine(name)).health()] as const),
    )
    const services = await statuses()
    return {
      status: services.every(({ healthy }) => healthy) ? 'ok' : 'degraded',
      uptimeMs: performance.now() - started,
      activeCalls: meter.read().active,
      memory: { rssBytes: process.memoryUsage.rss(), freeBytes: process.availableMemory() },
      engines: Object.fromEntries(engines) as Health['engines'], // one for each name
      services: Object.fromEntries(services.map((service) => [service.id, service])),
    }
  }
}
