import type { Event } from '../core/event.ts'
import { createFold } from '../core/fold.ts'
import { normalizeChat, normalizeEmbed } from '../core/normalize.ts'
import type { CallOptions, ChatRequest, EmbedRequest } from '../core/request.ts'
import type { ChatResult, EmbedResult, ModelInfo } from '../core/result.ts'
import { bundledProtocols, createCatalog } from '../manifest/catalog.ts'
import { createHttpTransport } from '../transport/http.ts'
import { requestIdOf } from '../wire/call.ts'
import { type Live, rateLimitsOf } from './exchange.ts'
import { explainCall, type Explanation } from './explain.ts'
import { loadMedia } from './media.ts'
import { createOpen } from './opening.ts'
import type { RuntimeOptions } from './options.ts'
import { checkOutput, compileOutput } from './output.ts'
import { createPlan, type Planned, splitModel } from './planning.ts'
import type { Prepared } from './prepare.ts'
import { describeProvider, type ProviderInfo } from './providers.ts'
import { createRegistry } from './registry.ts'
import { type Exchange, replay, type Replayed, type ReplayOptions } from './replay.ts'
import { type Around, chatResult, embedResult, modelInfos } from './results.ts'
import { createStream, type Stream } from './stream.ts'
import { createTasks, type Tasks } from './tasks.ts'

/** Calls AI models as manifests say. Make one and keep it: it holds the connections. */
export interface Runtime extends Tasks {
  /** Asks once and gives the whole answer. Throws a ModelwireError. */
  chat(request: ChatRequest): Promise<ChatResult>
  /** Asks and gives the answer as it comes. Nothing is sent before it is iterated. */
  stream(request: ChatRequest): Stream
  /** Vectors of texts, one each, in their order. */
  embed(request: EmbedRequest): Promise<EmbedResult>
  /** The same calls bound to one model. */
  model(model: string): BoundModel
  /** The exact call, each field with the manifest line that made it; nothing is sent. */
  explain(request: ChatRequest | EmbedRequest, options?: ExplainOptions): Explanation
  /** Recorded reply bytes through a provider's pipeline. Throws as a live call would. */
  replay(exchange: Exchange, options: ReplayOptions): Replayed
  /** The models that providers list, asked live. `filter.provider` names one. */
  listModels(filter: { provider: string; wire?: string; signal?: AbortSignal }): Promise<ModelInfo[]>
  /** Every manifest: dialects and providers. */
  providers(): ProviderInfo[]
  /** Ends all calls and connections. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface BoundModel {
  chat(request: Omit<ChatRequest, 'model'>): Promise<ChatResult>
  stream(request: Omit<ChatRequest, 'model'>): Stream
  embed(request: Omit<EmbedRequest, 'model'>): Promise<EmbedResult>
  explain(request: Omit<ChatRequest, 'model'> | Omit<EmbedRequest, 'model'>, options?: ExplainOptions): Explanation
}

export interface ExplainOptions {
  /** `chat`, or `embed` for a request with `input`, when absent. */
  operation?: string
  /** Whether the answer would be streamed; true when absent. */
  stream?: boolean
}

/** Synchronous and cheap: manifests load when first used, the HTTP client with the first call. */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  const env = options.env ?? process.env
  const catalog = createCatalog({
    paths: [bundledProtocols, ...[options.protocols ?? []].flat()],
    watch: options.watch,
    onError: options.onManifestError,
    env,
  })
  const registry = createRegistry(catalog)
  const http = createHttpTransport({ env })
  const plan = createPlan(options, env, registry)
  const open = createOpen(options, env, { http })

  const chatPlan = (input: ChatRequest, stream: boolean, origins?: WeakMap<object, object>): Planned => {
    const request = loadMedia(input)
    return plan(input, 'chat', (model, provider) => normalizeChat(request, model, provider, stream), origins)
  }

  /** A whole answer: all events, and what stands around them. */
  const whole = async (planned: Planned, input: CallOptions): Promise<{ events: Event[]; around: Around }> => {
    const started = performance.now()
    const live = await open(planned, input)
    const events: Event[] = planned.prepared.warnings.map((warning) => ({ type: 'warning', ...warning }))
    for (let batch = await live.next(); batch !== undefined; batch = await live.next())
      for (const event of batch) events.push(event)
    return { events, around: around(planned, live, { totalMs: performance.now() - started }) }
  }

  const chat = async (input: ChatRequest): Promise<ChatResult> => {
    const planned = chatPlan(input, false)
    if (input.output !== undefined) await compileOutput(input.output)
    const { events, around: about } = await whole(planned, input)
    return checkOutput(chatResult(folded(events, planned.provider), about), input.output)
  }

  const stream = (input: ChatRequest): Stream => {
    const fold = createFold(String(input.model).split('/')[0] ?? '')
    const warnings: Prepared['warnings'] = []
    let planned: Planned | undefined
    let live: Live | undefined
    let started = 0
    let firstEventMs: number | undefined
    const result = (): ChatResult => {
      const timing = { totalMs: performance.now() - started, ...(firstEventMs === undefined ? {} : { firstEventMs }) }
      const { provider, model } = planned ?? splitModel(input.model)
      return chatResult(
        fold,
        planned === undefined || live === undefined ? { provider, model, timing } : around(planned, live, timing),
      )
    }
    return createStream({
      fold,
      warnings,
      partial: result,
      finish: () => checkOutput(result(), input.output),
      open: async (left) => {
        started = performance.now()
        planned = chatPlan(input, true)
        if (input.output !== undefined) await compileOutput(input.output)
        warnings.push(...planned.prepared.warnings)
        live = await open(planned, { ...input, signal: input.signal === undefined ? left : AbortSignal.any([left, input.signal]) })
        firstEventMs = performance.now() - started
        return live
      },
    })
  }

  const embed = async (input: EmbedRequest): Promise<EmbedResult> => {
    const planned = plan(input, 'embed', (model) => normalizeEmbed(input, model))
    const { events, around: about } = await whole(planned, input)
    return counted(embedResult(events, folded(events, planned.provider), about), [input.input].flat().length)
  }

  const explain = (
    input: ChatRequest | EmbedRequest,
    { operation: name, stream: streamed = true }: ExplainOptions = {},
  ): Explanation => {
    const origins = new WeakMap<object, object>()
    const planned = isEmbed(input, name)
      ? plan(input, 'embed', (model) => normalizeEmbed(input, model), origins)
      : chatPlan(input, streamed, origins)
    return explainCall(planned.prepared, planned.operation, planned.provider, origins, input.extra)
  }

  const listModels: Runtime['listModels'] = async ({ provider, ...rest }) => {
    const input: CallOptions = { model: `${provider}/*`, ...rest }
    const planned = plan(input, 'models', () => ({ request: { model: '', stream: false }, warnings: [], partTypes: new Set() }))
    return modelInfos((await whole(planned, input)).events)
  }

  const structured = createTasks(options, env, stream)

  const close = (): Promise<void> => {
    structured.close()
    return http.close()
  }

  return {
    chat,
    stream,
    embed,
    explain,
    listModels,
    ...structured.tasks,
    model: (model) => ({
      chat: (request) => chat({ ...request, model }),
      stream: (request) => stream({ ...request, model }),
      embed: (request) => embed({ ...request, model }),
      explain: (request, how) => explain({ ...request, model } as ChatRequest | EmbedRequest, how), // either, with its model
    }),
    replay: (exchange, how) => {
      const asked = exchange.request?.body
      const model = how.model ?? (typeof asked === 'object' && asked !== null && 'model' in asked ? String(asked.model) : '')
      return replay(exchange, registry.operation(how.provider, how.operation ?? 'chat', model, how.wire), how)
    },
    providers: () => catalog.ids().map((id) => describeProvider(id, catalog, options, env)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function isEmbed(input: ChatRequest | EmbedRequest, name: string | undefined): input is EmbedRequest {
  return name === 'embed' || (name === undefined && 'input' in input)
}

/** A vector that is missing puts all that follow it to the wrong text. */
function counted(result: EmbedResult, texts: number): EmbedResult {
  const vectors = result.embeddings.length
  if (vectors !== texts)
    result.warnings.push({ field: 'input', reason: `${texts} texts were sent, and ${vectors} vectors came back` })
  return result
}

function folded(events: readonly Event[], provider: string): ReturnType<typeof createFold> {
  const fold = createFold(provider)
  for (const event of events) fold.push(event)
  return fold
}

function around({ operation, provider, model }: Planned, live: Live, timing: Around['timing']): Around {
  return {
    provider,
    model,
    timing,
    requestId: requestIdOf(live.headers),
    rateLimits: rateLimitsOf(operation, live.headers),
  }
}
