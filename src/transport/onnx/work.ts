import { setImmediate } from 'node:timers/promises'
import { abortError } from '../../core/abort.ts'
import { ModelwireError } from '../../core/error.ts'
import { type Batch, batches, runBatch } from './batch.ts'
import type { Item } from './inputs.ts'
import type { Model } from './model.ts'
import { scoreOf } from './score.ts'
import type { Pooling, Settings } from './settings.ts'
import type { EmbedTask, RerankTask } from './task.ts'
import { vectorOf } from './vector.ts'

/** What one call works with. */
export interface Bench {
  model: Model
  settings: Settings
  signal: AbortSignal
}

/** What is said of a call; a manifest's rules make events of it. */
export type Frame =
  | { model: string }
  | { index: number; vector: number[] }
  | { index: number; score: number }
  | { warning: { field: string; reason: string } }
  | { usage: { tokens: number } }
  | { done: true }

const shortest = 512

export async function embed(bench: Bench, { texts, dimensions, purpose, truncate }: EmbedTask): Promise<Frame[]> {
  const { prefixes, normalize } = bench.settings
  const { output, pooling } = vectorOutput(bench)
  const prefix = purpose !== undefined && Object.hasOwn(prefixes, purpose) ? prefixes[purpose] : undefined
  const lost: Frame = { warning: { field: 'purpose', reason: `the model has no prefix for ${JSON.stringify(purpose)}` } }
  const pairs = texts.map((text) => ({ text: (prefix ?? '') + text, pair: undefined }))
  const items = await encodeAll(bench, pairs, truncate, 'input')
  const vectors = await runAll(bench, items, output, (batch, row, index) => ({
    index,
    vector: vectorOf(batch, row, { pooling, normalize, dimensions }),
  }))
  return [
    ...(purpose !== undefined && prefix === undefined ? [lost] : []),
    ...cuts(bench, items, 'input'),
    ...vectors,
    counted(items),
  ]
}

export async function rerank(bench: Bench, { query, documents, topN, truncate }: RerankTask): Promise<Frame[]> {
  const output = chooseOutput(bench, ['logits'])
  const pairs = documents.map((pair) => ({ text: query, pair }))
  const items = await encodeAll(bench, pairs, truncate, 'documents')
  const scores = await runAll(bench, items, output, (batch, row, index) => ({
    index,
    score: scoreOf(batch, row, bench.settings.activation),
  }))
  const best = scores.sort((left, right) => right.score - left.score).slice(0, topN ?? scores.length)
  return [...cuts(bench, items, 'documents'), ...best, counted(items)]
}

// ---- texts to tokens ---------------------------------------------------------------------------------------------

async function encodeAll(
  bench: Bench,
  pairs: readonly { text: string; pair: string | undefined }[],
  truncate: boolean,
  field: string,
): Promise<Item[]> {
  const room = { maxTokens: roomOf(bench), truncate }
  const items: Item[] = []
  for (const [index, { text, pair }] of pairs.entries()) {
    if (index % 64 === 63) await pause(bench.signal)
    const encoded = bench.model.tokenizer.encode(text, pair, room, `${field}[${index}]`)
    if (encoded.ids.length === 0) {
      throw new ModelwireError('invalid_request', `${field}[${index}] has no tokens: this model has nothing to read in it`)
    }
    items.push({ ...encoded, index })
  }
  return items
}

function roomOf({ model, settings }: Bench): number {
  return settings.maxTokens ?? model.tokenizer.maxTokens ?? shortest
}

/** Cutting is never silent. */
function cuts(bench: Bench, items: readonly Item[], field: string): Frame[] {
  const cut = items.filter((item) => item.cut > 0)
  if (cut.length === 0) return []
  const which = cut.slice(0, 10).map(({ index, cut: tokens }) => `[${index}] by ${tokens}`)
  const more = cut.length > which.length ? ` and ${cut.length - which.length} more` : ''
  return [{ warning: { field, reason: `cut to ${roomOf(bench)} tokens: ${which.join(', ')}${more}` } }]
}

function counted(items: readonly Item[]): Frame {
  return { usage: { tokens: items.reduce((sum, { ids }) => sum + ids.length, 0) } }
}

// ---- tokens to numbers -------------------------------------------------------------------------------------------

async function runAll<T>(
  bench: Bench,
  items: Item[],
  output: string,
  read: (batch: Batch, row: number, index: number) => T,
): Promise<T[]> {
  const { model, settings, signal } = bench
  const made: T[] = []
  for (const group of batches(items, settings.batchTokens, model.session.inputNames.includes('attention_mask'))) {
    await pause(signal)
    const batch = await runBatch(model, group, output)
    for (const [row, { index }] of group.entries()) made.push(read(batch, row, index))
  }
  return made
}

/** ONNX Runtime computes on this very thread: between two runs everything else gets its turn, an abort above all. */
async function pause(signal: AbortSignal): Promise<void> {
  await setImmediate()
  if (signal.aborted) throw abortError(signal)
}

/** The graph's own sentence vector if it makes one and the model's manifest doesn't say otherwise; else that of its tokens. */
function vectorOutput(bench: Bench): { output: string; pooling: Pooling } {
  const { output, pooling } = bench.settings
  const whole = 'sentence_embedding'
  const has = bench.model.session.outputNames.includes(whole)
  const wanted = pooling ?? ((output === undefined && has) || output === whole ? 'none' : 'mean')
  return { output: chooseOutput(bench, wanted === 'none' ? [whole] : ['token_embeddings', 'last_hidden_state']), pooling: wanted }
}

function chooseOutput({ model, settings }: Bench, usual: readonly string[]): string {
  const names = model.session.outputNames
  const [only] = names
  const wanted = settings.output === undefined ? usual : [settings.output]
  const found =
    wanted.find((name) => names.includes(name)) ?? (settings.output === undefined && names.length === 1 ? only : undefined)
  if (found !== undefined) return found
  throw new ModelwireError('configuration', `the graph ${model.file} has no output called ${wanted.join(' or ')}`, {
    hint: `it has ${names.join(', ')}; name the right one in the model's manifest: config.output`,
  })
}
