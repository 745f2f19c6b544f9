import { costOf, type Prices } from '../core/cost.ts'
import type { Fold } from '../core/fold.ts'
import type { Event } from '../core/event.ts'
import type { ChatResult, Choice, EmbedResult, ModelInfo, RateLimit, RerankResult, ResultMeta, Timing } from '../core/result.ts'

/** What stands around a result: who answered, and how long it took. */
export interface Around {
  provider: string
  model: string
  requestId?: string | undefined
  rateLimits?: Record<string, RateLimit> | undefined
  prices?: Prices
  timing: Timing
}

const silent = (): Choice => ({
  text: '',
  reasoning: '',
  toolCalls: [],
  message: { role: 'assistant', content: [] },
  finishReason: 'other',
})

export function chatResult(fold: Fold, around: Around): ChatResult {
  const folded = fold.result()
  const choices = folded.choices.length === 0 ? [silent()] : folded.choices
  const first = choices[0] ?? silent()
  return { ...first, ...meta(folded, around), choices }
}

export function embedResult(events: readonly Event[], fold: Fold, around: Around): EmbedResult {
  const vectors = events.filter((event) => event.type === 'embedding')
  // Some wires number their vectors and may send them in any order; others send them in the input's.
  const numbered = vectors.every((event) => event.index !== undefined)
  const ordered = numbered ? vectors.toSorted((left, right) => (left.index ?? 0) - (right.index ?? 0)) : vectors
  return { embeddings: ordered.map((event) => event.vector), ...meta(fold.result(), around) }
}

/** The best first; documents with the same score stay in their order. */
export function rerankResult(events: readonly Event[], fold: Fold, around: Around, topN?: number): RerankResult {
  const scores = events.flatMap((event) => (event.type === 'score' ? [{ index: event.index, score: event.score }] : []))
  const results = scores.toSorted((left, right) => right.score - left.score || left.index - right.index).slice(0, topN)
  return { results, ...meta(fold.result(), around) }
}

export function modelInfos(events: readonly Event[]): ModelInfo[] {
  return events
    .filter((event) => event.type === 'model')
    .map((event) => {
      const { type: _, ...model } = event
      return model
    })
    .toSorted((left, right) => left.id.localeCompare(right.id))
}

function meta(folded: ReturnType<Fold['result']>, around: Around): ResultMeta {
  const { provider, model, requestId, rateLimits, prices = {}, timing } = around
  const cost = costOf(folded.usage, prices)
  return {
    ...(folded.id === undefined ? {} : { id: folded.id }),
    model: folded.model ?? model,
    provider,
    usage: folded.usage,
    ...(cost === undefined ? {} : { cost }),
    warnings: folded.warnings,
    timing,
    ...(requestId === undefined ? {} : { requestId }),
    ...(rateLimits === undefined ? {} : { rateLimits }),
  }
}
