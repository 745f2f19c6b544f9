import { totalmem } from 'node:os'
import { fit } from '../../gguf/fit.ts'
import { readGguf } from '../../gguf/read.ts'
import type { Llama } from './binding.ts'
import { count, type LoadOptions } from './body.ts'
import type { Placement } from './resident.ts'

/** Bytes that a model may take. */
export interface FreeMemory {
  ramFree: number
  vramFree: number
}

const defaultSequences = 4

/** What is free now, by the operating system (of a container its own bound), by the graphics cards, and by what the user allows. */
export async function freeMemory(llama: Llama, budget: number, taken: number): Promise<FreeMemory> {
  // What was reckoned for models here counts also where it isn't used yet: weights are mapped, and contexts made, when first needed.
  const ramFree = Math.max(0, Math.min(process.availableMemory(), Math.min(totalmem(), budget) - taken))
  if (llama.gpu === false) return { ramFree, vramFree: 0 }
  const { free } = await llama.getVramState()
  return { ramFree, vramFree: free }
}

/** Where the model goes, by its own numbers. Throws `configuration`, with what would fit, before anything is loaded. */
export async function place(file: string, settings: LoadOptions, memory: FreeMemory): Promise<Placement> {
  const header = await readGguf(file)
  const sequences = count('sequences', settings.sequences) ?? defaultSequences
  const contextLength = count('contextLength', settings.contextLength)
  const layers = settings.gpuLayers
  const gpuLayers = layers === undefined || layers === 'auto' || layers === 'max' ? (layers ?? 'auto') : count('gpuLayers', layers)
  const fitted = fit(header, {
    ...memory,
    sequences,
    flashAttention: settings.flashAttention,
    ...(contextLength === undefined ? {} : { contextLength }),
    ...(gpuLayers === undefined ? {} : { gpuLayers }),
  })
  return { ...fitted, sequences }
}
