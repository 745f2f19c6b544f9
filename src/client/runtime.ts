import type { ChatRequest, EmbedRequest, RerankRequest } from '../core/request.ts'
import type { ChatResult, EmbedResult, ModelInfo, RerankResult } from '../core/result.ts'
import { bundledProtocols, createCatalog } from '../manifest/catalog.ts'
import { createServices } from '../services/services.ts'
import type { ServiceOptions, ServiceStatus } from '../services/status.ts'
import { createEngines, type EngineOptions, type EngineResult } from './engines.ts'
import { type Calls, createCalls, type ExplainOptions } from './calls.ts'
import type { Explanation } from './explain.ts'
import { createHealth, type Health } from './health.ts'
import { createMeter, type Metrics } from './metrics.ts'
import { createOpen } from './opening.ts'
import type { RuntimeOptions } from './options.ts'
import { createPlan } from './planning.ts'
import { served } from './serving.ts'
import { describeProvider, type ProviderInfo } from './providers.ts'
import { createRegistry } from './registry.ts'
import { type Exchange, replay, type Replayed, type ReplayOptions } from './replay.ts'
import type { Stream } from './stream.ts'
import { createTransports } from './transports.ts'

/** Calls AI models as manifests say. Make one and keep it: it holds the connections. */
export interface Runtime extends Omit<Calls, 'list'> {
  /** The same calls bound to one model. */
  model(model: string): BoundModel
  /** Recorded reply bytes through a provider's pipeline. Throws as a live call would. */
  replay(exchange: Exchange, options: ReplayOptions): Replayed
  /** The models that providers list, asked live. `filter.provider` names one. */
  listModels(filter: { provider: string; wire?: string; signal?: AbortSignal }): Promise<ModelInfo[]>
  /**
   * Has an engine fetch a model (`provider/model`): `progress` events as it goes, and its last word as the result. Throws
   * `unsupported` for a provider whose manifest has no `pull`.
   */
  pullModel(model: string, options?: EngineOptions): Stream<EngineResult>
  /** Has an engine load a model into memory, unload it, or remove its files. Throws `unsupported` where the manifest has no such operation. */
  loadModel(model: string, options?: EngineOptions): Promise<EngineResult>
  unloadModel(model: string, options?: EngineOptions): Promise<EngineResult>
  removeModel(model: string, options?: EngineOptions): Promise<EngineResult>
  /** Every manifest: dialects and providers. */
  providers(): ProviderInfo[]
  /**
   * Starts the engine behind a provider by its manifest's `service`, and waits until it is healthy; calls to the provider go
   * there from then on. One that runs already is left as it is. Throws with the engine's last words when it ends instead.
   */
  startService(id: string, options?: ServiceOptions): Promise<ServiceStatus>
  /** Ends what `startService` started, all of its processes; what somebody else runs is left alone. */
  stopService(id: string): Promise<void>
  /** Whether an engine runs, and what it says of its health; asked now. */
  serviceStatus(id: string): Promise<ServiceStatus>
  /** The newest lines that a started engine has printed; 100 of them when absent. */
  serviceLogs(id: string, lines?: number): Promise<string[]>
  /** How the runtime is: engines of this process with their devices, free memory and models, and the services that it started. */
  health(): Promise<Health>
  /** What it has done: calls, failures by kind, tokens and times, by model. */
  metrics(): Metrics
  /** Ends all calls, connections and started services. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface BoundModel {
  chat(request: Omit<ChatRequest, 'model'>): Promise<ChatResult>
  stream(request: Omit<ChatRequest, 'model'>): Stream
  embed(request: Omit<EmbedRequest, 'model'>): Promise<EmbedResult>
  rerank(request: Omit<RerankRequest, 'model'>): Promise<RerankResult>
  explain(request: Omit<ChatRequest, 'model'> | Omit<EmbedRequest, 'model'>, options?: ExplainOptions): Explanation
}

/** Synchronous and cheap: manifests load when first used, the HTTP client with the first call. */
export function createRuntime(given: RuntimeOptions = {}): Runtime {
  const options = { ...given, providers: { ...given.providers } } // ours: a started service changes where its calls go
  const env = options.env ?? process.env
  const catalog = createCatalog({
    paths: [bundledProtocols, ...[options.protocols ?? []].flat()],
    watch: options.watch,
    onError: options.onManifestError,
    env,
  })
  const registry = createRegistry(catalog)
  const transports = createTransports(env, (name) => Promise.resolve({ id: name, file: name, files: {}, config: {} }))
  const plan = createPlan(options, env, registry)
  const meter = createMeter()
  const open = meter.count(createOpen(options, env, transports))
  const calls = createCalls(plan, open)
  const { chat, stream, embed, rerank, explain } = calls

  const engines = createEngines(options, plan, open)
  const services = createServices({ catalog, env, transport: transports.http, ...served(options) })
  const health = createHealth({ transports, services, meter })

  const close = async (): Promise<void> => {
    try {
      await services.close()
    } finally {
      await transports.close()
    }
  }

  return {
    ...calls,
    listModels: calls.list,
    model: (model) => ({
      chat: (request) => chat({ ...request, model }),
      stream: (request) => stream({ ...request, model }),
      embed: (request) => embed({ ...request, model }),
      rerank: (request) => rerank({ ...request, model }),
      explain: (request, how) => explain({ ...request, model } as ChatRequest | EmbedRequest, how), // either, with its model
    }),
    replay: (exchange, how) => {
      const asked = exchange.request?.body
      const model = how.model ?? (typeof asked === 'object' && asked !== null && 'model' in asked ? String(asked.model) : '')
      return replay(exchange, registry.operation(how.provider, how.operation ?? 'chat', model, how.wire), how)
    },
    providers: () => catalog.ids().map((id) => describeProvider(id, catalog, options, env)),
    pullModel: engines.pull,
    loadModel: engines.load,
    unloadModel: engines.unload,
    removeModel: engines.remove,
    startService: services.start,
    stopService: services.stop,
    serviceStatus: services.status,
    serviceLogs: services.logs,
    health,
    metrics: meter.read,
    close,
    [Symbol.asyncDispose]: close,
  }
}
