import { ModelwireError } from '../../core/error.ts'
import type { LlamaEmbeddingContext, LlamaRankingContext } from 'node-llama-cpp'
import { fullBatches } from './batching.ts'
import { binding, type ChatWrapper, type Llama, type LlamaModel } from './binding.ts'
import { createLanes, type Lanes } from './lanes.ts'

/** How a model was placed in memory. */
export interface Placement {
  gpuLayers: number
  contextLength: number
  sequences: number
  ramBytes: number
  vramBytes: number
}

export interface ResidentOptions extends Placement {
  file: string
  threads: number | undefined
  batchSize: number | undefined
  flashAttention: boolean | undefined
  queue: number
  signal: AbortSignal
  onProgress?: ((fraction: number) => void) | undefined
}

/** A model in memory. What it is used for (writing, vectors, scores) is set up when first asked for. */
export interface Resident {
  llama: Llama
  model: LlamaModel
  wrapper: ChatWrapper
  placement: Placement
  lanes(): Promise<Lanes>
  embedder(): Promise<LlamaEmbeddingContext>
  ranker(): Promise<LlamaRankingContext>
  /** Answers being written, and calls that wait. */
  load(): { active: number; waiting: number }
  dispose(): Promise<void>
}

/** Below this a second thread costs more in waiting than it computes: a model of a few megabytes fell from thousands of tokens a second to ten. */
const smallModel = 256 * 1024 * 1024

export async function openResident(llama: Llama, options: ResidentOptions): Promise<Resident> {
  const { resolveChatWrapper } = await binding()
  const { file, gpuLayers, contextLength, sequences, batchSize, flashAttention, queue, signal, onProgress } = options
  const model = await loading(file, () =>
    llama.loadModel({
      modelPath: file,
      gpuLayers,
      loadSignal: signal,
      ...(onProgress === undefined ? {} : { onLoadProgress: onProgress }),
    }),
  )
  const threads = options.threads ?? (model.size < smallModel && model.gpuLayers === 0 ? 1 : llama.cpuMathCores)
  const shared = { contextSize: contextLength, threads, ...(batchSize === undefined ? {} : { batchSize }) }
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => {
      made ??= loading(file, make)
      made.catch(() => (made = undefined)) // memory may be free the next time
      return made
    }
  }
  let lanes: Lanes | undefined

  return {
    llama,
    model,
    wrapper: resolveChatWrapper(model),
    placement: options,
    lanes: once(async () => {
      // Answers at once share a batch: the weights are read once for all of them, which is what a large model waits for. A
      // small one waits for its one thread: there each answer has a context of its own, and free cores compute the others.
      const apart = threads === 1 && model.gpuLayers === 0 ? sequences : 1
      const each = { ...shared, sequences: sequences / apart, ...(flashAttention === undefined ? {} : { flashAttention }) }
      const batching = { itemPrioritizationStrategy: fullBatches(() => lanes?.active ?? 0) }
      const made = await Promise.allSettled(
        Array.from({ length: apart }, () => model.createContext(apart === 1 ? { ...each, batching } : each)),
      )
      const contexts = made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      const failed = made.find((one) => one.status === 'rejected')
      if (failed !== undefined) {
        await Promise.all(contexts.map((context) => context.dispose())) // half of them would lie there for nothing
        throw failed.reason
      }
      lanes = createLanes(
        contexts.flatMap((context) => Array.from({ length: each.sequences }, () => context.getSequence())),
        queue,
      )
      return lanes
    }),
    embedder: once(() => model.createEmbeddingContext(shared)),
    ranker: once(() => model.createRankingContext(shared)),
    load: () => ({ active: lanes?.active ?? 0, waiting: lanes?.waiting ?? 0 }),
    dispose: () => model.dispose(), // and with it its contexts
  }
}

/** What the binding throws, said in our words. */
async function loading<T>(file: string, make: () => Promise<T>): Promise<T> {
  const { InsufficientMemoryError } = await binding()
  try {
    return await make()
  } catch (error) {
    if (error instanceof ModelwireError || (error instanceof Error && error.name === 'AbortError')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    if (error instanceof InsufficientMemoryError) {
      throw new ModelwireError('configuration', `there isn't enough memory for ${file}: ${reason}`, {
        hint: 'a shorter `contextLength`, fewer `sequences` or a smaller quantization needs less',
        cause: error,
      })
    }
    if (/not supported for this model|not supported for models/i.test(reason))
      throw new ModelwireError('unsupported', reason, { cause: error })
    throw new ModelwireError('configuration', `llama.cpp can't use ${file}: ${reason}`, {
      hint: 'the file may be damaged, or its architecture newer than the installed node-llama-cpp',
      cause: error,
    })
  }
}
