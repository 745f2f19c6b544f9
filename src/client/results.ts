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
  return described({ ...first, choices }, folded, around)
}

export function embedResult(events: readonly Event[], fold: Fold, around: Around): EmbedResult {
  const vectors = events.filter((event) => event.type === 'embedding')
  // Some wires number their vectors and may send them in any order; others send them in the input's.
  const numbered = vectors.every((event) => event.index !== undefined)
  const ordered = numbered ? vectors.toSorted((left, right) => (left.index ?? 0) - (right.index ?? 0)) : vectors
  return described({ embeddings: ordered.map((event) => event.vector) }, fold.result(), around)
}

/** The best first; documents with the same score stay in their order. */
export function rerankResult(events: readonly Event[], fold: Fold, around: Around, topN?: number): RerankResult {
  const scores = events.flatMap((event) => (event.type === 'score' ? [{ index: event.index, score: event.score }] : []))
  const results = scores.toSorted((left, right) => right.score - left.score || left.index - right.index).slice(0, topN)
  return described({ results }, fold.result(), around)
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

/** The same object, with what stands around a result written on it: spreading parts that may be absent costs more than all else here. */
function described<Own extends object>(own: Own, folded: ReturnType<Fold['result']>, around: Around): Own & ResultMeta {
  const { provider, model, requestId, rateLimits, prices = {}, timing } = around
  const cost = costOf(folded.usage, prices)
  const result = own as Own & ResultMeta
  if (folded.id !== undefined) result.id = folded.id
  result.model = folded.model ?? model
  result.provider = provider
  result.usage = folded.usage
  if (cost !== undefined) result.cost = cost
  result.warnings = folded.warnings
  result.timing = timing
  if (requestId !== undefined) result.requestId = requestId
  if (rateLimits !== undefined) result.rateLimits = rateLimits
  return result
}
