import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { createFold } from '../core/fold.ts'
import { type Normal, normalizeChat, normalizeEmbed } from '../core/normalize.ts'
import type { CallOptions, ChatRequest, EmbedRequest } from '../core/request.ts'
import type { ChatResult, EmbedResult, ModelInfo } from '../core/result.ts'
import { bundledProtocols, type Catalog, createCatalog } from '../manifest/catalog.ts'
import { type Operation, readAuth, type TransportName } from '../manifest/compile.ts'
import { createBudget } from '../resilience/budget.ts'
import { createLimit, type Limit } from '../resilience/limit.ts'
import { createPolicy, type Policy } from '../resilience/policy.ts'
import { withDefaults } from '../resilience/timeout.ts'
import { createHttpTransport } from '../transport/http.ts'
import type { Transport } from '../wire/call.ts'
import { keyState, readSecrets } from './credentials.ts'
import { type Asked, attempt, type Live, rateLimitsOf } from './exchange.ts'
import { explainCall, type Explanation } from './explain.ts'
import { loadMedia } from './media.ts'
import { type RuntimeOptions, type Settings, settingsOf } from './options.ts'
import { checkOutput, compileOutput } from './output.ts'
import { prepareCall, type Prepared } from './prepare.ts'
import { createRegistry } from './registry.ts'
import { type Exchange, replay, type Replayed, type ReplayOptions } from './replay.ts'
import { type Around, chatResult, embedResult, modelInfos } from './results.ts'
import { createStream, type Stream } from './stream.ts'

/** Calls AI models as manifests say. Make one and keep it: it holds the connections. */
export interface Runtime {
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

/** What is known of a manifest without calling anybody. */
export interface ProviderInfo {
  id: string
  name?: string
  docs?: string
  file?: string
  /** Has an address: can be called. A dialect hasn't. */
  callable: boolean
  operations: string[]
  wires: string[]
  /** Variables of the environment that may hold its key; the first that is set counts. */
  keys: string[]
  /** Whether a key is there: `none` is needed, or it's `optional` and not there. */
  key: 'set' | 'missing' | 'optional' | 'none'
  /** What is wrong with the manifest, where it can't be read: the others go on. */
  problem?: string
}

/** A request on its way: everything known before the first byte is sent. */
interface Planned {
  operation: Operation
  provider: string
  model: string
  normal: Normal
  settings: Settings
  prepared: Prepared
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
  const transports: Record<TransportName, Transport> = { http }
  const policies = new Map<string, Policy>()
  const budgets = new Map<string, ReturnType<typeof createBudget>>()
  const limits = new Map<string, Limit>()

  /** Callers of the same provider, key and model share what a rate limit said; all of a provider share its retry budget. */
  const policyOf = (provider: string, model: string, own: Settings['own']): Policy => {
    const key = JSON.stringify([provider, model, typeof own.apiKey === 'string'])
    let policy = policies.get(key)
    if (policy !== undefined) return policy
    let budget = budgets.get(provider)
    if (budget === undefined) budgets.set(provider, (budget = createBudget()))
    if (policies.size > 1_000) policies.clear() // model names may come from outside
    policies.set(key, (policy = createPolicy({ budget })))
    return policy
  }

  const limitOf = (provider: string, { inflight, queue = 1_000 }: Settings['limits']): Limit | undefined => {
    if (inflight === undefined) return undefined
    let limit = limits.get(provider)
    if (limit === undefined) limits.set(provider, (limit = createLimit(inflight, queue)))
    return limit
  }

  const plan = (
    input: CallOptions,
    name: string,
    normalize: (model: string, provider: string) => Normal,
    origins?: WeakMap<object, object>,
  ): Planned => {
    const { provider, model } = splitModel(input.model)
    try {
      const settings = settingsOf(options, provider)
      const operation = registry.operation(provider, name, model, input.wire ?? settings.own.wire)
      const normal = normalize(model, provider)
      const strict = input.strict ?? options.strict ?? false
      const prepared = prepareCall({
        operation,
        provider,
        normal,
        input,
        settings,
        env,
        strict,
        ...(origins === undefined ? {} : { origins }),
      })
      return { operation, provider, model, normal, settings, prepared }
    } catch (error) {
      throw named(error, provider, model)
    }
  }

  const open = async (planned: Planned, input: CallOptions): Promise<Live> => {
    const { operation, provider, model, normal, settings, prepared } = planned
    const streamed = normal.request.stream
    const timeouts = withDefaults({ ...settings.timeouts, ...input.timeouts }, streamed)
    const span = input.timeout ?? (timeouts.total > 0 ? timeouts.total : undefined)
    const endsAt = span === undefined ? undefined : performance.now() + span
    const signal = input.signal ?? new AbortController().signal
    const asked: Omit<Asked, 'attempts'> = {
      operation,
      provider,
      model,
      call: prepared.call,
      secrets: () => readSecrets(operation, provider, settings.own, env),
      request: normal.request,
      streamed,
      timeouts: input.timeout === undefined ? timeouts : { ...timeouts, total: input.timeout },
      endsAt,
      limits: settings.limits,
      choices: typeof normal.request.n === 'number' ? normal.request.n : 1,
      learn: options.learn ?? true,
    }
    const policy = policyOf(provider, model, settings.own)
    const send = (): Promise<Live> =>
      policy.run((n, inner) => attempt({ ...asked, attempts: n }, transports[operation.transport], inner), signal, {
        retry: input.retry ?? settings.retry,
        endsAt,
      })
    const limit = limitOf(provider, settings.limits)
    try {
      return await (limit === undefined ? send() : limit(send, signal))
    } catch (error) {
      throw named(error, provider, model)
    }
  }

  const chatPlan = (input: ChatRequest, stream: boolean, origins?: WeakMap<object, object>): Planned => {
    const request = loadMedia(input)
    return plan(input, 'chat', (model, provider) => normalizeChat(request, model, provider, stream), origins)
  }

  /** A whole answer: all events, and what stands around them. */
  const whole = async (planned: Planned, input: CallOptions): Promise<{ events: Event[]; around: Around }> => {
    const started = performance.now()
    const live = await open(planned, input)
    const events: Event[] = planned.prepared.warnings.map((warning) => ({ type: 'warning', ...warning }))
    for (let batch = await live.next(); batch !== undefined; batch = await live.next()) events.push(...batch)
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
    return embedResult(events, folded(events, planned.provider), about)
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

  const close = (): Promise<void> => http.close()

  return {
    chat,
    stream,
    embed,
    explain,
    listModels,
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
    providers: () => catalog.ids().map((id) => describe(id, catalog, options, env)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Whose call it was stands in every error. */
function named(error: unknown, provider: string, model: string): unknown {
  return error instanceof ModelwireError ? error.add({ provider, model }) : error
}

function isEmbed(input: ChatRequest | EmbedRequest, name: string | undefined): input is EmbedRequest {
  return name === 'embed' || (name === undefined && 'input' in input)
}

/** `provider/model`; the model may hold more slashes. */
function splitModel(model: unknown): { provider: string; model: string } {
  const at = typeof model === 'string' ? model.indexOf('/') : -1
  if (typeof model !== 'string' || at <= 0 || at === model.length - 1) {
    throw new ModelwireError('configuration', `\`model\` must be written as provider/model, got ${JSON.stringify(model)}`, {
      hint: "everything after the first slash is the provider's own name; `modelwire providers` lists the providers",
    })
  }
  return { provider: model.slice(0, at), model: model.slice(at + 1) }
}

function folded(events: readonly Event[], provider: string): ReturnType<typeof createFold> {
  const fold = createFold(provider)
  for (const event of events) fold.push(event)
  return fold
}

const requestIdHeaders = ['x-request-id', 'request-id', 'x-amzn-requestid', 'apim-request-id', 'cf-ray']

function around({ operation, provider, model }: Planned, live: Live, timing: Around['timing']): Around {
  return {
    provider,
    model,
    timing,
    requestId: requestIdHeaders.map((name) => live.headers[name]).find((id) => id !== undefined),
    rateLimits: rateLimitsOf(operation, live.headers),
  }
}

function describe(id: string, catalog: Catalog, options: RuntimeOptions, env: Record<string, string | undefined>): ProviderInfo {
  const file = catalog.file(id)
  const found = file === undefined ? {} : { file }
  let manifest: Record<string, unknown>
  try {
    manifest = catalog.resolve(id)
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    const problem = error.where === undefined ? error.message : `${error.where}: ${error.message}`
    return { id, ...found, callable: false, operations: [], wires: [], keys: [], key: 'none', problem }
  }
  const text = (key: string): Record<string, string> => (typeof manifest[key] === 'string' ? { [key]: manifest[key] } : {})
  return {
    id,
    ...text('name'),
    ...text('docs'),
    ...found,
    callable: manifest.base !== undefined,
    operations: Object.keys((manifest.operations ?? {}) as object),
    wires: Object.keys((manifest.wires ?? {}) as object),
    ...keyState(readAuth(manifest.auth), id, settingsOf(options, id).own, env),
  }
}
