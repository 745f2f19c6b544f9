import { basename } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import type { GgufHeader } from './header.ts'

/** How a model is to be used. */
export interface Use {
  /** Tokens of one conversation. */
  contextLength: number
  /** Conversations at once, each with a context of its own. */
  sequences: number
  /** Layers on the graphics card; the output counts as one more than the model has. */
  gpuLayers: number
  /** False: every token's attention to every other is kept for a batch. As the engine likes, which is without, when absent. */
  flashAttention?: boolean | undefined
}

/** Bytes that it takes. */
export interface Estimate {
  ramBytes: number
  vramBytes: number
}

export interface Room {
  /** Bytes that are free. */
  ramFree: number
  vramFree: number
  sequences: number
  /** Tokens of one conversation; as many as fit, up to 8,192, when absent. */
  contextLength?: number
  /** As many as fit when absent or `auto`; `max`: all, or it is refused. */
  gpuLayers?: number | 'auto' | 'max'
  flashAttention?: boolean | undefined
}

export type Fit = Estimate & Pick<Use, 'gpuLayers' | 'contextLength'>

const megabyte = 1 << 20
/** Tokens that are read at once. */
const batch = 512
/** Contexts are laid out in steps of so many tokens. */
const step = 256
const keyBytes = 2 // keys and values are kept as F16
const usual = [8192, 6144, 4096, 3072, 2048]
const least = 2048
/** Others need memory too, and an estimate is one. */
const usable = 0.92

/**
 * What a model takes, by its own numbers: weights by the tensors of each layer, keys and values by heads, context and
 * sequences, and the buffers of a batch by a rule of thumb. Against what llama.cpp then allocates (24 layers of width 768)
 * weights, keys and values are right to the megabyte, and buffers guessed within 6 MB, with and without flash attention.
 * node-llama-cpp's own estimate counts without it always: of 8,192 tokens it says 978 MB where 598 are taken.
 */
export function estimate(header: GgufHeader, { contextLength, sequences, gpuLayers, flashAttention }: Use): Estimate {
  const { blockCount, tensors } = header
  const firstOnGpu = blockCount - Math.min(gpuLayers, blockCount)
  const outputOnGpu = gpuLayers > blockCount
  const cells = Math.ceil(contextLength / step) * step * sequences
  let ram = 16 * megabyte
  let vram = 0
  for (const { name, bytes } of tensors) {
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1)
    if (layer >= 0 ? layer >= firstOnGpu : outputOnGpu && name.startsWith('output')) vram += bytes
    else ram += bytes
  }
  for (let layer = 0; layer < blockCount; layer++) {
    const bytes = cells * (header.headCountKv[layer] ?? 0) * (header.keyLength + header.valueLength) * keyBytes
    if (layer >= firstOnGpu) vram += bytes
    else ram += bytes
  }
  const width = (header.vocabSize ?? 0) + 6 * (header.embeddingLength ?? 0) + 2 * (header.feedForwardLength ?? 0)
  const attention = flashAttention === false ? contextLength * (header.headCount ?? 0) : 0
  const buffers = batch * (width + attention) * 4
  if (gpuLayers > 0) vram += buffers
  else ram += buffers
  return { ramBytes: Math.ceil(ram), vramBytes: Math.ceil(vram) }
}

/** The most layers on the graphics card, and then the longest context, that fit. Throws `configuration`, with what would fit. */
export function fit(header: GgufHeader, room: Room): Fit {
  const { sequences, contextLength: asked, gpuLayers = 'auto', flashAttention } = room
  const trained = header.contextLength ?? usual[0] ?? least
  if (asked !== undefined && asked > trained) throw tooFar(header, asked, trained)
  const all = header.blockCount + 1
  const shortest = asked ?? Math.min(trained, least)
  const fits = (use: Use): boolean => {
    const needed = estimate(header, use)
    return needed.ramBytes <= room.ramFree * usable && needed.vramBytes <= room.vramFree * usable
  }
  const candidates =
    typeof gpuLayers === 'number'
      ? [Math.min(gpuLayers, all)]
      : gpuLayers === 'max'
        ? [all]
        : room.vramFree === 0
          ? [0]
          : Array.from({ length: all + 1 }, (_, index) => all - index)
  const uses = (length: number, count: number): Use => ({ contextLength: length, sequences, gpuLayers: count, flashAttention })
  const layers = candidates.find((count) => fits(uses(shortest, count)))
  if (layers === undefined) throw refusal(header, uses(shortest, candidates.at(-1) ?? 0), room, fits)
  const longer =
    asked === undefined ? [...usual, trained].filter((length) => length <= trained && length <= (usual[0] ?? least)) : [asked]
  const contextLength = Math.max(shortest, ...longer.filter((length) => fits(uses(length, layers))))
  return { gpuLayers: layers, contextLength, ...estimate(header, uses(contextLength, layers)) }
}

function tooFar(header: GgufHeader, asked: number, trained: number): ModelwireError {
  return new ModelwireError(
    'configuration',
    `${nameOf(header)} was trained for ${trained} tokens, and a context of ${asked} was asked for`,
    {
      hint: `set contextLength to at most ${trained}`,
    },
  )
}

const refused = new WeakSet<object>()

/** Whether an error says that a model doesn't fit: then room may be made for it. */
export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && refused.has(error)
}

function refusal(header: GgufHeader, use: Use, room: Room, fits: (use: Use) => boolean): ModelwireError {
  const { ramBytes, vramBytes } = estimate(header, use)
  const needs = [`${size(ramBytes)} of memory`, ...(vramBytes > 0 ? [`${size(vramBytes)} on the graphics card`] : [])].join(' and ')
  const free = [size(room.ramFree), ...(vramBytes > 0 ? [size(room.vramFree)] : [])].join(' and ')
  const error = new ModelwireError(
    'configuration',
    `${nameOf(header)} needs ${needs} for ${use.sequences} conversations of ${use.contextLength} tokens, and ${free} are free`,
    { hint: whatFits(header, use, room, fits) },
  )
  refused.add(error)
  return error
}

/** The first of these that helps: fewer layers on the card, one conversation, a shorter one, a smaller file. */
function whatFits(header: GgufHeader, use: Use, room: Room, fits: (use: Use) => boolean): string {
  const layers = Array.from({ length: use.gpuLayers }, (_, index) => use.gpuLayers - index - 1)
  const fewer = layers.find((gpuLayers) => fits({ ...use, gpuLayers }))
  if (fewer !== undefined) return `it would fit with gpuLayers: ${fewer}`
  if (use.sequences > 1 && fits({ ...use, sequences: 1 })) return 'it would fit with sequences: 1'
  for (let contextLength = use.contextLength / 2; contextLength >= step; contextLength /= 2) {
    const shorter = Math.floor(contextLength)
    if (fits({ ...use, sequences: 1, contextLength: shorter }))
      return `it would fit with sequences: 1 and contextLength: ${shorter}`
  }
  const weights = header.tensors.reduce((sum, { bytes }) => sum + bytes, 0)
  const smaller = (room.ramFree + room.vramFree) * usable * 0.8
  if (weights > smaller)
    return `a quantization of at most ${size(smaller)} would fit; this file's weights alone are ${size(weights)}`
  const smallest = estimate(header, { contextLength: step, sequences: 1, gpuLayers: 0 })
  return `free some memory: one conversation of ${step} tokens needs ${size(smallest.ramBytes)}`
}

function nameOf({ name, file }: GgufHeader): string {
  return name ?? basename(file)
}

/** Bytes for people. */
export function size(bytes: number): string {
  if (bytes < 1000 * megabyte) return `${Math.ceil(bytes / megabyte)} MB`
  return `${(bytes / (1024 * megabyte)).toFixed(1)} GB`
}
