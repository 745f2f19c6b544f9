import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, asyncProperty, integer, nat, uint8Array } from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ModelwireError } from '../../src/index.ts'
import { estimate, fit } from '../../src/gguf/fit.ts'
import type { GgufHeader } from '../../src/gguf/header.ts'
import { readGguf } from '../../src/gguf/read.ts'
import { randomModel } from '../tools/gguf.ts'
import { failure } from '../tools/failure.ts'

const folder = mkdtempSync(join(tmpdir(), 'modelwire-gguf-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function written(bytes: Uint8Array, name = `${files++}.gguf`): string {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return file
}

const bytes = randomModel(1, { layers: 3, width: 96 })
const header = await readGguf(written(bytes))

describe('the header of a model file', () => {
  it('says what the model is, without loading it', () => {
    expect(header).toMatchObject({
      version: 3,
      architecture: 'llama',
      name: 'random-1',
      contextLength: 32_768,
      embeddingLength: 96,
      blockCount: 3,
      headCount: 3,
      headCountKv: [3, 3, 3],
      keyLength: 32,
      valueLength: 32,
      feedForwardLength: 192,
      quantization: 'F32',
      fileSize: bytes.length,
    })
    expect(header.chatTemplate).toContain('<|assistant|>')
    expect(header.tensors.map(({ name }) => name)).toContain('blk.2.ffn_down.weight')
    expect(header.tensors.find(({ name }) => name === 'blk.0.attn_q.weight')).toMatchObject({
      shape: [96, 96],
      type: 'F32',
      bytes: 96 * 96 * 4,
    })
  })

  it('a vocabulary is walked over, not kept', () => {
    expect(header.metadata).not.toHaveProperty(['tokenizer.ggml.scores'])
    expect(header.metadata['tokenizer.ggml.model']).toBe('llama')
  })

  it('is put together from the parts of a split file', async () => {
    const first = written(bytes, 'split-00001-of-00002.gguf')
    expect((await failure(readGguf(first))).kind).toBe('not_found')
    written(bytes, 'split-00002-of-00002.gguf')
    const both = await readGguf(first)
    expect(both.fileSize).toBe(2 * bytes.length)
    expect(both.parts).toHaveLength(2)
  })

  it('a file that was cut says how much is missing', async () => {
    const error = await failure(readGguf(written(bytes.subarray(0, -100))))
    expect(error).toMatchObject({ kind: 'configuration', hint: 'download it again' })
    expect(error.message).toMatch(/isn't whole: \d+ bytes are missing/)
  })

  it('cut anywhere, it is an error', async () => {
    await assert(
      asyncProperty(integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        expect((await failure(readGguf(written(bytes.subarray(0, length), 'cut.gguf')))).kind).toBe('configuration')
      }),
      { numRuns: 60 },
    )
  })

  it('whatever its bytes are, it gives a header or an error of ours', async () => {
    const headerBytes = 14_000 // of the file that is mutated: beyond lie the weights
    await assert(
      asyncProperty(nat(headerBytes), uint8Array({ minLength: 1, maxLength: 16 }), async (at, junk) => {
        const mutated = Uint8Array.from(bytes)
        mutated.set(junk, at)
        const outcome: unknown = await readGguf(written(mutated, 'mutated.gguf')).catch((error: unknown) => error)
        expect(outcome instanceof ModelwireError || typeof (outcome as GgufHeader).architecture === 'string').toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['garbage', Buffer.from('this is a text and no model at all')],
    ['nothing', Buffer.alloc(0)],
    ['counts that no file has', Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(16, 0xff)])],
    ['an old version', Buffer.concat([Buffer.from('GGUF'), Buffer.from([1, 0, 0, 0]), Buffer.alloc(16)])],
    ['another byte order', Buffer.concat([Buffer.from('GGUF'), Buffer.from([0, 0, 0, 3]), Buffer.alloc(16)])],
  ])('%s is refused', async (_, content) => {
    const error = await failure(readGguf(written(content)))
    expect(error.kind).toBe('configuration')
    expect(error.hint).toContain('download it again')
  })

  it('a file that isn’t there, and a folder, are not found', async () => {
    expect((await failure(readGguf(join(folder, 'nowhere.gguf')))).kind).toBe('not_found')
    expect((await failure(readGguf(folder))).kind).toBe('not_found')
  })
})

describe('what fits', () => {
  const gigabyte = 2 ** 30
  /** The numbers of a common model of eight billion weights, packed in four bits. */
  const large: GgufHeader = {
    ...header,
    name: 'large',
    contextLength: 131_072,
    embeddingLength: 4096,
    blockCount: 32,
    headCount: 32,
    headCountKv: Array.from({ length: 32 }, () => 8),
    keyLength: 128,
    valueLength: 128,
    feedForwardLength: 14_336,
    vocabSize: 128_256,
    tensors: [
      { name: 'token_embd.weight', shape: [], type: 'Q4_K', bytes: 0.3 * gigabyte, offset: 0 },
      { name: 'output.weight', shape: [], type: 'Q6_K', bytes: 0.4 * gigabyte, offset: 0 },
      ...Array.from({ length: 32 }, (_, layer) => ({
        name: `blk.${layer}.all`,
        shape: [],
        type: 'Q4_K',
        bytes: 0.12 * gigabyte,
        offset: 0,
      })),
    ],
  }

  it('keys and values grow with context and conversations', () => {
    const base = estimate(large, { contextLength: 8192, sequences: 1, gpuLayers: 0 }).ramBytes
    const four = estimate(large, { contextLength: 8192, sequences: 4, gpuLayers: 0 }).ramBytes
    // 32 layers of 8 heads of 128 + 128 values of 2 bytes
    expect(four - base).toBe(3 * 8192 * 32 * 8 * 256 * 2)
  })

  it('without flash attention, every token of a batch is held against every other', () => {
    const use = { contextLength: 8192, sequences: 1, gpuLayers: 0 }
    const more = estimate(large, { ...use, flashAttention: false }).ramBytes - estimate(large, use).ramBytes
    // llama.cpp: 512 tokens of a batch, the context, heads, 4 bytes
    expect(more).toBe(512 * 8192 * 32 * 4)
    const room = { ramFree: 5.9 * gigabyte, vramFree: 0, sequences: 1 }
    expect(fit(large, { ...room, flashAttention: false }).contextLength).toBeLessThan(fit(large, room).contextLength)
  })

  it('takes the longest usual context that fits', () => {
    expect(fit(large, { ramFree: 32 * gigabyte, vramFree: 0, sequences: 1 }).contextLength).toBe(8192)
    expect(fit(large, { ramFree: 5.9 * gigabyte, vramFree: 0, sequences: 1 }).contextLength).toBeLessThan(8192)
  })

  it('puts as many layers on the graphics card as fit', () => {
    const whole = fit(large, { ramFree: 32 * gigabyte, vramFree: 24 * gigabyte, sequences: 1 })
    const half = fit(large, { ramFree: 32 * gigabyte, vramFree: 3 * gigabyte, sequences: 1 })
    expect(whole.gpuLayers).toBe(33)
    expect(half.gpuLayers).toBeGreaterThan(5)
    expect(half.gpuLayers).toBeLessThan(25)
    expect(half.vramBytes).toBeLessThan(3 * gigabyte)
  })

  it.each([
    [{ ramFree: 5.8 * gigabyte, vramFree: 0, sequences: 4, contextLength: 2048 }, 'sequences: 1'],
    [{ ramFree: 5.5 * gigabyte, vramFree: 0, sequences: 1, contextLength: 32_768 }, 'contextLength: '],
    [
      { ramFree: 8 * gigabyte, vramFree: 4 * gigabyte, sequences: 1, contextLength: 4096, gpuLayers: 'max' as const },
      'gpuLayers: ',
    ],
    [{ ramFree: 3 * gigabyte, vramFree: 0, sequences: 1 }, 'a quantization of at most'],
  ])('a refusal says what would fit: %o', (room, hint) => {
    const outcome = (): unknown => {
      try {
        return fit(large, room)
      } catch (error) {
        return error
      }
    }
    const error = outcome()
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringMatching(/large needs .* of memory/) })
    expect(error).toMatchObject({ hint: expect.stringContaining(hint) })
  })

  it('a context beyond what the model was trained for is refused', () => {
    expect(() => fit(header, { ramFree: gigabyte, vramFree: 0, sequences: 1, contextLength: 50_000 })).toThrow(
      /trained for 32768 tokens/,
    )
  })
})
