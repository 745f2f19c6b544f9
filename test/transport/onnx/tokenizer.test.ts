import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTokenizer } from '../../../src/transport/onnx/tokenizer.ts'
import { failureOf } from '../../tools/call.ts'
import { scratch } from '../../tools/onnx-models.ts'
import { byteLevelBpe, unigram, wordIds, wordPiece } from '../../tools/tokenizers.ts'

const room = { maxTokens: 64, truncate: false }

async function read(tokenizer: object): ReturnType<typeof readTokenizer> {
  return await readTokenizer(join(scratch({ 'tokenizer.json': JSON.stringify(tokenizer) }), 'tokenizer.json'))
}

async function ids(tokenizer: object, text: string, pair?: string): Promise<number[]> {
  return (await read(tokenizer)).encode(text, pair, room, 'text').ids
}

const words = (...names: string[]): number[] => ['[CLS]', ...names, '[SEP]'].map((name) => wordIds[name] ?? NaN)

describe('WordPiece', () => {
  it.each([
    ['The sky IS blue', words('the', 'sky', 'is', 'blue')],
    ['unhappys', words('un', '##happy', '##s')],
    ['unknowable', words('[UNK]')],
    ['café 空空', words('café', '空', '空')],
    ['', words()],
    ['\u{1F600} blue', words('[UNK]', 'blue')],
    ['blue\uD83D', words('blue')], // half a pair becomes U+FFFD, which the normalizer drops
  ])('reads %j', async (text, expected) => {
    expect(await ids(wordPiece(), text)).toEqual(expected)
  })

  it('a pair has its two sides', async () => {
    const tokenizer = await read(wordPiece())
    expect(tokenizer.encode('why ?', 'the sky', room, 'text')).toEqual({
      ids: [2, 16, 17, 3, 4, 5, 3],
      types: [0, 0, 0, 0, 1, 1, 1],
      cut: 0,
    })
    expect(tokenizer.encode('why ?', '', room, 'text').ids).toEqual([2, 16, 17, 3, 3])
  })
})

describe('byte-level BPE', () => {
  const { file, byteId, mergeId } = byteLevelBpe()
  const bytes = (text: string): number[] => [...Buffer.from(text)].map(byteId)

  it.each([
    ['hello', [mergeId(2), byteId(0x6f)]],
    ['é空\u{1F600}', bytes('é空\u{1F600}')],
    [' \n', bytes(' \n')],
    ['', []],
    ['\uD83D', bytes('\uFFFD')],
  ])('reads %j', async (text, expected) => {
    expect(await ids(file, text)).toEqual([0, ...expected, 2])
  })
})

describe('a special token in a text is only text', () => {
  it('WordPiece reads its letters', async () => {
    expect(await ids(wordPiece(), 'blue [SEP] sky')).toEqual(words('blue', '[', 'sep', ']', 'sky'))
  })

  it('also where words are cut at spaces alone', async () => {
    const tokenizer = wordPiece({ normalizer: null, pre_tokenizer: { type: 'WhitespaceSplit' } })
    expect(await ids(tokenizer, 'blue [SEP] [PAD] [CLS]')).toEqual(words('blue', '[UNK]', '[UNK]', '[UNK]'))
  })

  it('byte-level BPE reads its bytes', async () => {
    const { file, byteId } = byteLevelBpe()
    expect(await ids(file, '</s><s>')).toEqual([0, ...[...Buffer.from('</s><s>')].map(byteId), 2])
  })

  it('Unigram reads its letters, though the token scores better', async () => {
    expect(await ids(unigram(), 'a<s>')).toEqual([0, 4, 6, 7, 8, 2])
  })
})

describe('a text that is too long', () => {
  it('is an error that says by how much', async () => {
    const tokenizer = await read(wordPiece())
    expect(() => tokenizer.encode('sky sky sky', undefined, { maxTokens: 4, truncate: false }, 'input[3]')).toThrow(
      expect.objectContaining({
        kind: 'context_length',
        message: 'input[3] has 5 tokens, and the model reads 4',
        hint: expect.stringContaining('truncate: true'),
      }),
    )
  })

  it('is cut when that is asked for, and keeps its end mark', async () => {
    const tokenizer = await read(wordPiece())
    const { ids: kept, cut } = tokenizer.encode('the sky is blue', undefined, { maxTokens: 4, truncate: true }, 'text')
    expect(kept).toEqual(words('the', 'sky'))
    expect(cut).toBe(2)
  })

  it('of a pair the second is cut, and a first that has no room at all is an error', async () => {
    const tokenizer = await read(wordPiece())
    const pair = tokenizer.encode('why ?', 'the sky is', { maxTokens: 6, truncate: true }, 'text')
    expect(pair).toEqual({ ids: [2, 16, 17, 3, 4, 3], types: [0, 0, 0, 0, 1, 1], cut: 2 })
    expect(() => tokenizer.encode('why ? why ?', 'the', { maxTokens: 6, truncate: true }, 'text')).toThrow(
      expect.objectContaining({ kind: 'context_length', hint: 'shorten it' }),
    )
  })

  it('of a million characters is refused before it is read', async () => {
    const tokenizer = await read(wordPiece())
    expect(() => tokenizer.encode('a'.repeat(1_000_001), undefined, room, 'text')).toThrow(
      expect.objectContaining({ kind: 'request_too_large' }),
    )
  })
})

describe('the file', () => {
  it('says the id of padding and the length', async () => {
    expect(await read(unigram())).toMatchObject({ padId: 1, maxTokens: 128 })
    expect(await read(wordPiece())).toMatchObject({ padId: 0, maxTokens: undefined })
  })

  it.each([
    ['garbage', '\u0000\u0001garbage'],
    ['cut', JSON.stringify(wordPiece()).slice(0, 500)],
    ['of another kind', '{"hello": "world"}'],
    ['a list', '[]'],
    ['with a model that nobody knows', JSON.stringify(wordPiece({ model: { type: 'Magic', vocab: {} } }))],
  ])('%s is a clear error', async (_, content) => {
    const file = join(scratch({ 'tokenizer.json': content }), 'tokenizer.json')
    const error = await failureOf(readTokenizer(file))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining(`${file} isn't a tokenizer`) })
  })

  it('that is missing is `not_found`', async () => {
    expect(await failureOf(readTokenizer(join(scratch(), 'tokenizer.json')))).toMatchObject({ kind: 'not_found' })
  })

  it('a template that asks for an unlisted token is a clear error', async () => {
    const file = join(scratch(), 'tokenizer.json')
    const broken = wordPiece({
      post_processor: {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '[NEW]', type_id: 0 } }],
        pair: [],
        special_tokens: {},
      },
    })
    writeFileSync(file, JSON.stringify(broken))
    const tokenizer = await readTokenizer(file)
    expect(() => tokenizer.encode('sky', undefined, room, 'text')).toThrow(expect.objectContaining({ kind: 'configuration' }))
  })
})
