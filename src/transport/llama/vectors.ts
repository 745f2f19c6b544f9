import { abortError } from '../../core/abort.ts'
import type { Emit } from '../frames.ts'
import type { EmbedBody, RerankBody } from './body.ts'
import { tooLong } from './chat.ts'
import type { Resident } from './resident.ts'

/** One vector of length 1 a text, in their order. */
export async function embed(body: EmbedBody, resident: Resident, emit: Emit, signal: AbortSignal): Promise<void> {
  const embedder = await resident.embedder()
  const { contextLength } = resident.placement
  let tokens = 0
  emit({ start: { model: body.model } })
  for (const [index, text] of body.input.entries()) {
    if (signal.aborted) throw abortError(signal)
    const length = embedder.calculateInputLength(text)
    if (length > contextLength) throw tooLong(length, contextLength)
    tokens += length
    const { vector } = await embedder.getEmbeddingFor(text)
    emit({ embedding: { index, vector: unit(body.dimensions === undefined ? vector : vector.slice(0, body.dimensions)) } })
  }
  emit({ usage: { prompt_tokens: tokens } })
}

/** llama.cpp's vectors have any length; cosine and dot product are the same only for those of length 1. */
function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector)
  return length === 0 ? [...vector] : vector.map((value) => value / length)
}

/** How well each document answers the query, from 0 to 1, in the documents' order. */
export async function rerank(body: RerankBody, resident: Resident, emit: Emit, signal: AbortSignal): Promise<void> {
  const ranker = await resident.ranker()
  let tokens = 0
  emit({ start: { model: body.model } })
  for (const [index, document] of body.documents.entries()) {
    if (signal.aborted) throw abortError(signal)
    const length = ranker.calculateInputLength(body.query, document)
    if (length > ranker.contextSize) throw tooLong(length, ranker.contextSize)
    tokens += length
    emit({ score: { index, score: await ranker.rank(body.query, document) } })
  }
  emit({ usage: { prompt_tokens: tokens } })
}
