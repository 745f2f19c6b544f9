import { broken, createCursor, type Scalar } from './cursor.ts'
import { packings, quantizations } from './types.ts'

/** What a model file says about itself, read without loading it. Absent is what it doesn't say. */
export interface GgufHeader {
  file: string
  /** Bytes, of all its parts. */
  fileSize: number
  version: number
  architecture: string
  name?: string
  /** Tokens that it was trained for. */
  contextLength?: number
  embeddingLength?: number
  blockCount: number
  headCount?: number
  /** Of each layer. */
  headCountKv: number[]
  keyLength: number
  valueLength: number
  feedForwardLength?: number
  vocabSize?: number
  /** How most of its weights are packed: `Q4_K_M`, `F16`, … */
  quantization?: string
  chatTemplate?: string
  /** Scalars and short lists. */
  metadata: Record<string, Scalar | Scalar[]>
  tensors: GgufTensor[]
  /** All files of a model that is split. */
  parts: string[]
}

export interface GgufTensor {
  name: string
  /** Row length first. */
  shape: number[]
  type: string
  bytes: number
  /** From the start of its file. */
  offset: number
}

/** The header of one file: `end` is where its data must reach at least. */
export interface Parsed {
  header: Omit<GgufHeader, 'file' | 'fileSize' | 'parts'>
  end: number
}

const mostEntries = 100_000
const widestTensor = 4

/** Reads the header that `bytes` begin with. Throws NeedsMore, or `configuration` for what isn't one. */
export function parseHeader(bytes: Buffer): Parsed {
  if (bytes.length >= 4 && bytes.toString('latin1', 0, 4) !== 'GGUF') throw broken('another beginning')
  const cursor = createCursor(bytes)
  cursor.u32()
  const version = cursor.u32()
  if (version === 0 || (version & 0xffff) === 0) throw broken('the byte order of another kind of machine')
  if (version !== 2 && version !== 3) throw broken(`version ${version}, where 2 and 3 are known`)
  const tensorCount = cursor.size()
  const entryCount = cursor.size()
  if (tensorCount > mostEntries || entryCount > mostEntries) throw broken(`${tensorCount} tensors and ${entryCount} entries`)

  const metadata: GgufHeader['metadata'] = Object.create(null) as GgufHeader['metadata'] // a key may have any name
  for (let index = 0; index < entryCount; index++) {
    const key = cursor.text()
    const value = cursor.value(cursor.u32())
    if (value !== undefined) metadata[key] = value
  }
  const tensors: GgufTensor[] = []
  for (let index = 0; index < tensorCount; index++) {
    const name = cursor.text()
    const dimensions = cursor.u32()
    if (dimensions > widestTensor) throw broken(`a tensor of ${dimensions} dimensions`)
    const shape = Array.from({ length: dimensions }, () => cursor.size())
    const packing = packings.get(cursor.u32())
    const values = shape.reduce((product, length) => product * length, 1)
    tensors.push({
      name,
      shape,
      type: packing?.name ?? 'unknown',
      bytes: packing === undefined ? 0 : Math.ceil(values / packing.values) * packing.bytes,
      offset: cursor.size(),
    })
  }
  const alignment = numberOf(metadata['general.alignment']) ?? 32
  const start = Math.ceil(cursor.at / alignment) * alignment
  for (const tensor of tensors) tensor.offset += start
  const end = tensors.reduce((furthest, { offset, bytes: size }) => Math.max(furthest, offset + size), cursor.at)
  if (!Number.isSafeInteger(end)) throw broken('tensors larger than any file')
  return { header: { version, ...facts(metadata), metadata, tensors }, end }
}

function facts(
  metadata: GgufHeader['metadata'],
): Omit<GgufHeader, 'file' | 'fileSize' | 'parts' | 'version' | 'metadata' | 'tensors'> {
  const architecture = textOf(metadata['general.architecture'])
  if (architecture === undefined) throw broken('no architecture')
  const own = (key: string): Scalar | Scalar[] | undefined => metadata[`${architecture}.${key}`]
  const blockCount = Math.min(numberOf(own('block_count')) ?? 0, 10_000)
  const headCount = numberOf(own('attention.head_count'))
  const embeddingLength = numberOf(own('embedding_length'))
  const headLength = embeddingLength !== undefined && headCount !== undefined && headCount > 0 ? embeddingLength / headCount : 0
  const fileType = numberOf(metadata['general.file_type'])
  const optional = {
    name: textOf(metadata['general.name']),
    contextLength: numberOf(own('context_length')),
    embeddingLength,
    headCount,
    feedForwardLength: numberOf(own('feed_forward_length')),
    vocabSize: numberOf(own('vocab_size')),
    quantization: fileType === undefined ? undefined : quantizations.get(fileType),
    chatTemplate: textOf(metadata['tokenizer.chat_template']),
  }
  return {
    architecture,
    blockCount,
    // Some have another number a layer; those that say nothing have as many as heads.
    headCountKv: perLayer(own('attention.head_count_kv'), blockCount, headCount ?? 0),
    keyLength: numberOf(own('attention.key_length')) ?? headLength,
    valueLength: numberOf(own('attention.value_length')) ?? headLength,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<GgufHeader>), // those that are there
  }
}

function perLayer(value: Scalar | Scalar[] | undefined, layers: number, otherwise: number): number[] {
  return Array.from({ length: layers }, (_, layer) => numberOf(Array.isArray(value) ? value[layer] : value) ?? otherwise)
}

/** A list, where a number is meant for each layer, counts as its largest. */
function numberOf(value: Scalar | Scalar[] | undefined): number | undefined {
  if (Array.isArray(value))
    return value.map(numberOf).reduce((most, one) => (one !== undefined && one > (most ?? -Infinity) ? one : most), undefined)
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
