import type { ChatRequest, EmbedRequest, RerankRequest } from '../core/request.ts'
import type { ChatResult, EmbedResult, ModelInfo, RerankResult } from '../core/result.ts'
import { bundledProtocols, createCatalog } from '../manifest/catalog.ts'
import { transportOf } from '../manifest/compile.ts'
import { type Calls, createCalls, type ExplainOptions } from './calls.ts'
import { createEngines, type Engines } from './engines.ts'
import type { Explanation } from './explain.ts'
import { createHealth, type Health } from './health.ts'
import { createMeter, type Metrics } from './metrics.ts'
import { createLocalModels, listLocal, type LocalModels, locateModel, openStore } from './local.ts'
import { createOpen } from './opening.ts'
import type { RuntimeOptions } from './options.ts'
import { createPlan, splitModel } from './planning.ts'
import { describeProvider, type ProviderInfo } from './providers.ts'
import { createRegistry } from './registry.ts'
import { staying } from './resident.ts'
import { type Exchange, replay, type Replayed, type ReplayOptions } from './replay.ts'
import { createServing, served, type Serving } from './serving.ts'
import type { Stream } from './stream.ts'
import { createTasks, type Tasks } from './tasks.ts'
import { createTransports } from './transports.ts'
import { checkWaits } from './waits.ts'

/** Calls AI models as manifests say. Make one and keep it: it holds connections, and the models of this process. */
export interface Runtime extends Omit<Calls, 'list'>, Engines, Serving, Tasks {
  /** The same calls bound to one model. */
  model(model: string): BoundModel
  /** Recorded reply bytes through a provider's pipeline. Throws as a live call would. */
  replay(exchange: Exchange, options: ReplayOptions): Replayed
  /** The models that a provider lists, asked live; without one, and for a provider of this process, those on this machine. */
  listModels(filter?: ModelFilter): Promise<ModelInfo[]>
  /** What is known of one model (`provider/model`): of this machine, or as its provider lists it. Nothing for one that isn't there. */
  getModel(id: string): Promise<ModelInfo | undefined>
  /** The models on this machine. */
  models: LocalModels
  /** Every manifest: dialects and providers. */
  providers(): ProviderInfo[]
  /** How the runtime is: engines of this process with their devices, free memory and models, and the services that it started. */
  health(): Promise<Health>
  /** What it has done: calls, failures by kind, tokens and times, by model. */
  metrics(): Metrics
  /** Ends all calls, connections and started services, and frees the models of this process. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ModelFilter {
  provider?: string
  wire?: string
  signal?: AbortSignal
}

export interface BoundModel {
  chat(request: Omit<ChatRequest, 'model'>): Promise<ChatResult>
  stream(request: Omit<ChatRequest, 'model'>): Stream
  embed(request: Omit<EmbedRequest, 'model'>): Promise<EmbedResult>
  rerank(request: Omit<RerankRequest, 'model'>): Promise<RerankResult>
  explain(request: Omit<ChatRequest, 'model'> | Omit<EmbedRequest, 'model'>, options?: ExplainOptions): Explanation
}

/** Synchronous and cheap: manifests load when first used, the HTTP client and the engines of this process with the first call. */
export function createRuntime(given: RuntimeOptions = {}): Runtime {
  checkWaits(given, 'configuration')
  for (const [id, own] of Object.entries(given.providers ?? {})) checkWaits(own, 'configuration', `providers.${id}.`)
  const options = { ...given, providers: { ...given.providers } } // ours: a started service changes where its calls go
  const env = options.env ?? process.env
  const catalog = createCatalog({
    paths: [bundledProtocols, ...[options.protocols ?? []].flat()],
    watch: options.watch,
    onError: options.onManifestError,
    env,
  })
  const registry = createRegistry(catalog)
  const transports = createTransports(env, (name) => locateModel(store, name))
  const store = openStore({ protocols: [options.protocols ?? []].flat(), env, http: transports.http })
  const plan = createPlan(options, env, registry)
  const meter = createMeter()
  const open = staying(meter.count(createOpen(options, env, transports)))
  const { list, ...calls } = createCalls(plan, open)
  const { serving, statuses, close: endServices } = createServing({ catalog, env, transport: transports.http, ...served(options) })

  const listModels: Runtime['listModels'] = async ({ provider, ...how } = {}) => {
    if (provider === undefined) return listLocal(store)
    return transportOf(catalog.resolve(provider)) === 'http' ? list({ provider, ...how }) : listLocal(store, provider)
  }

  const getModel: Runtime['getModel'] = async (id) => {
    const { provider, model } = splitModel(id)
    const found = (await listModels({ provider })).find((info) => info.id === model)
    return found === undefined ? undefined : { ...found, id }
  }

  const room = createTasks(options, env, calls.stream)

  const close = async (): Promise<void> => {
    await room.close()
    try {
      await endServices()
    } finally {
      await transports.close()
    }
  }

  return {
    ...calls,
    ...createEngines(options, plan, open),
    ...serving,
    ...room.tasks,
    listModels,
    getModel,
    model: (model) => ({
      chat: (request) => calls.chat({ ...request, model }),
      stream: (request) => calls.stream({ ...request, model }),
      embed: (request) => calls.embed({ ...request, model }),
      rerank: (request) => calls.rerank({ ...request, model }),
      explain: (request, how) => calls.explain({ ...request, model } as ChatRequest | EmbedRequest, how), // either, with its model
    }),
    replay: (exchange, how) => {
      const asked = exchange.request?.body
      const model = how.model ?? (typeof asked === 'object' && asked !== null && 'model' in asked ? String(asked.model) : '')
      return replay(exchange, registry.operation(how.provider, how.operation ?? 'chat', model, how.wire), how)
    },
    providers: () => catalog.ids().map((id) => describeProvider(id, catalog, options, env)),
    models: createLocalModels(store),
    health: createHealth({ transports, meter, statuses }),
    metrics: () => ({ ...meter.read(), tasks: room.counts() }),
    close,
    [Symbol.asyncDispose]: close,
  }
}
