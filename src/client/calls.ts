import type { Event } from '../core/event.ts'
import { ChatFold } from '../core/fold.ts'
import { normalizeChat, normalizeEmbed, normalizeRerank } from '../core/normalize.ts'
import type { CallOptions, ChatRequest, EmbedRequest, RerankRequest } from '../core/request.ts'
import type { ChatResult, EmbedResult, ModelInfo, RerankResult } from '../core/result.ts'
import { requestIdOf } from '../wire/call.ts'
import { rateLimitsOf } from './exchange.ts'
import { explainCall, type Explanation } from './explain.ts'
import { type Live, readAll } from './live.ts'
import { loadMedia } from './media.ts'
import type { Open } from './opening.ts'
import { checkOutput, compileOutput } from './output.ts'
import { type Plan, type Planned, splitModel } from './planning.ts'
import type { Prepared } from './prepare.ts'
import { type Around, chatResult, embedResult, modelInfos, rerankResult } from './results.ts'
import { createStream, type Stream } from './stream.ts'

export interface ExplainOptions {
  /** `chat`, or `embed` for a request with `input`, when absent. */
  operation?: string
  /** Whether the answer would be streamed; true when absent. */
  stream?: boolean
}

/** What a runtime does with models: each call is planned, sent, and its events folded. */
export interface Calls {
  /** Asks once and gives the whole answer. Throws a ModelwireError. */
  chat(request: ChatRequest): Promise<ChatResult>
  /** Asks and gives the answer as it comes. Nothing is sent before it is iterated. */
  stream(request: ChatRequest): Stream
  /** Vectors of texts, one each, in their order. */
  embed(request: EmbedRequest): Promise<EmbedResult>
  /** How well documents answer a query, the best first. */
  rerank(request: RerankRequest): Promise<RerankResult>
  /** The exact call, each field with the manifest line that made it; nothing is sent. */
  explain(request: ChatRequest | EmbedRequest, options?: ExplainOptions): Explanation
  /** The models that a provider lists, asked live. */
  list(filter: { provider: string; wire?: string; signal?: AbortSignal }): Promise<ModelInfo[]>
}

export function createCalls(plan: Plan, open: Open): Calls {
  const chatPlan = (input: ChatRequest, stream: boolean, origins?: WeakMap<object, object>): Planned => {
    const request = loadMedia(input)
    return plan(input, 'chat', (model, provider) => normalizeChat(request, model, provider, stream), origins)
  }

  /** Reads a whole answer, and gives what stands around it. */
  const whole = async (planned: Planned, input: CallOptions, take: (event: Event) => void): Promise<Around> => {
    const started = performance.now()
    const live = await open(planned, input)
    for (const warning of planned.prepared.warnings) take({ type: 'warning', ...warning })
    await readAll(live, (batch) => {
      for (const event of batch) take(event)
    })
    return around(planned, live, { totalMs: performance.now() - started })
  }

  /** The same for an answer whose events are wanted too. */
  const listed = async (planned: Planned, input: CallOptions): Promise<{ events: Event[]; fold: ChatFold; about: Around }> => {
    const events: Event[] = []
    const fold = new ChatFold(planned.provider)
    const about = await whole(planned, input, (event) => {
      events.push(event)
      fold.push(event)
    })
    return { events, fold, about }
  }

  const chat = async (input: ChatRequest): Promise<ChatResult> => {
    const planned = chatPlan(input, false)
    if (input.output !== undefined) await compileOutput(input.output)
    const fold = new ChatFold(planned.provider)
    const about = await whole(planned, input, (event) => fold.push(event))
    const result = chatResult(fold, about)
    return input.output === undefined ? result : checkOutput(result, input.output)
  }

  const stream = (input: ChatRequest): Stream => {
    const fold = new ChatFold(String(input.model).split('/')[0] ?? '')
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
    const { events, fold, about } = await listed(planned, input)
    return counted(embedResult(events, fold, about), [input.input].flat().length)
  }

  const rerank = async (input: RerankRequest): Promise<RerankResult> => {
    const planned = plan(input, 'rerank', (model) => normalizeRerank(input, model))
    const { events, fold, about } = await listed(planned, input)
    return rerankResult(events, fold, about, input.topN)
  }

  const explain: Calls['explain'] = (input, { operation: name, stream: streamed = true } = {}) => {
    const origins = new WeakMap<object, object>()
    const planned = isEmbed(input, name)
      ? plan(input, 'embed', (model) => normalizeEmbed(input, model), origins)
      : chatPlan(input, streamed, origins)
    return explainCall(planned.prepared, planned.operation, planned.provider, origins, input.extra)
  }

  const list: Calls['list'] = async ({ provider, ...rest }) => {
    const input: CallOptions = { model: `${provider}/*`, ...rest }
    const planned = plan(input, 'models', () => ({ request: { model: '', stream: false }, warnings: [], partTypes: new Set() }))
    return modelInfos((await listed(planned, input)).events)
  }

  return { chat, stream, embed, rerank, explain, list }
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

function around({ operation, provider, model }: Planned, live: Live, timing: Around['timing']): Around {
  return {
    provider,
    model,
    timing,
    requestId: requestIdOf(live.headers),
    rateLimits: rateLimitsOf(operation, live.headers),
    prices: operation.prices(model),
  }
}
