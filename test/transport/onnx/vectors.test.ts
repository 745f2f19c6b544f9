import { describe, expect, it } from 'vitest'
import { failureOf } from '../../tools/call.ts'
import { embed, engineOf, row, rows, scaled, sum, unit, near } from '../../tools/onnx-engine.ts'
import { modelOf, placedModel, summedModel, table, tokenModel } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'
import { byteLevelBpe } from '../../tools/tokenizers.ts'

const blueSky = ['[CLS]', 'blue', 'sky', '[SEP]']

describe.skipIf(onnxRuntime === undefined)('vectors of an ONNX model', () => {
  it.each([
    ['mean', unit(sum(...blueSky.map(row)))],
    ['cls', unit(row('[CLS]'))],
    ['last', unit(row('[SEP]'))],
  ])('pooling %s gives what a hand computes', async (pooling, expected) => {
    const engine = engineOf(modelOf(tokenModel(rows), { pooling }))
    const { vectors, tokens, done, warnings } = await embed(engine, 'blue sky')
    expect(vectors[0]).toEqual(near(expected))
    expect({ tokens, done, warnings }).toEqual({ tokens: 4, done: true, warnings: [] })
  })

  it('a text has the same vector alone, padded beside longer ones, and in any order', async () => {
    const texts = ['blue', 'why is the sky blue ?', '', 'unhappys', 'the sky']
    const engine = engineOf(modelOf(tokenModel(rows)))
    const { vectors, tokens } = await embed(engine, texts)
    const alone = await Promise.all(texts.map(async (text) => (await embed(engine, text)).vectors[0]))
    expect(vectors).toHaveLength(5)
    for (const [index, vector] of vectors.entries()) expect(vector).toEqual(near(alone[index] ?? []))
    expect(vectors[0]).toEqual(near(unit(sum(row('[CLS]'), row('blue'), row('[SEP]')))))
    expect(vectors[2]).toEqual(near(unit(sum(row('[CLS]'), row('[SEP]')))))
    expect(tokens).toBe(3 + 8 + 2 + 5 + 4)
  })

  it("the graph's own sentence vector is taken as it is, padding masked", async () => {
    const engine = engineOf(modelOf(summedModel(rows, 'sentence_embedding'), { normalize: false }))
    const { vectors } = await embed(engine, ['blue sky', 'why is the sky blue ?'])
    const expected = sum(...blueSky.map(row))
    for (const [at, value] of expected.entries()) expect(vectors[0]?.[at]).toBeCloseTo(value, 5)
  })

  it('dimensions cut the vector before it is brought to length 1', async () => {
    const engine = engineOf(modelOf(tokenModel(rows)))
    const { vectors } = await embed(engine, 'blue sky', { dimensions: 3 })
    expect(vectors[0]).toEqual(near(unit(sum(...blueSky.map(row)).slice(0, 3))))
    const error = await failureOf(embed(engine, 'blue', { dimensions: 7 }))
    expect(error).toMatchObject({ kind: 'invalid_request', message: expect.stringContaining('have 6') })
  })

  it("a model that isn't normalised keeps its lengths", async () => {
    const engine = engineOf(modelOf(tokenModel(rows), { normalize: false, pooling: 'mean' }))
    expect((await embed(engine, 'blue sky')).vectors[0]).toEqual(near(scaled(sum(...blueSky.map(row)), 1 / 4)))
  })

  it.each(['int64', 'int32'] as const)('a graph gets sides and places when it asks for them, as %s', async (type) => {
    const places = table(16, 6, 9)
    const sides = table(2, 6, 5)
    const engine = engineOf(modelOf(placedModel(rows, sides, places, type), { normalize: false }))
    const { vectors } = await embed(engine, ['blue sky', 'the sky is blue'])
    const expected = sum(...blueSky.flatMap((word, at) => [row(word), sides[0] ?? [], places[at] ?? []]))
    expect(vectors[0]).toEqual(near(scaled(expected, 1 / 4)))
  })

  it('a graph without an attention mask never sees padding', async () => {
    const engine = engineOf(modelOf(tokenModel(rows, {})))
    const { vectors } = await embed(engine, ['blue sky', 'blue', 'why is the sky blue ?', 'sky blue'])
    expect(vectors[0]).toEqual(near(unit(sum(...blueSky.map(row)))))
    expect(vectors[1]).toEqual(near(unit(sum(row('[CLS]'), row('blue'), row('[SEP]')))))
  })

  it('byte-level BPE, with any bytes', async () => {
    const { file, byteId } = byteLevelBpe()
    const many = table(300, 4, 2)
    const engine = engineOf(modelOf(tokenModel(many), {}, file))
    const ids = [0, ...[...Buffer.from('空\u0000</s>')].map(byteId), 2]
    expect((await embed(engine, '空\u0000</s>')).vectors[0]).toEqual(near(unit(sum(...ids.map((id) => many[id] ?? [])))))
  })

  it("a purpose puts the model's own words before the text, and is told where there are none", async () => {
    const engine = engineOf(modelOf(tokenModel(rows), { prefixes: { query: 'why ? ' } }))
    expect((await embed(engine, 'blue', { purpose: 'query' })).vectors[0]).toEqual(
      near(unit(sum(...['[CLS]', 'why', '?', 'blue', '[SEP]'].map(row)))),
    )
    expect((await embed(engine, 'blue', { purpose: 'toString' })).warnings).toEqual([
      { field: 'purpose', reason: 'the model has no prefix for "toString"' },
    ])
  })

  it('a text that is too long is an error, or is cut and told', async () => {
    const engine = engineOf(modelOf(tokenModel(rows), { maxTokens: 4 }))
    expect(await failureOf(embed(engine, ['blue', 'the sky is blue']))).toMatchObject({
      kind: 'context_length',
      message: 'input[1] has 6 tokens, and the model reads 4',
    })
    const { vectors, warnings, tokens } = await embed(engine, ['blue', 'the sky is blue'], { truncate: true })
    expect(vectors[1]).toEqual(near(unit(sum(...['[CLS]', 'the', 'sky', '[SEP]'].map(row)))))
    expect(warnings).toEqual([{ field: 'input', reason: 'cut to 4 tokens: [1] by 2' }])
    expect(tokens).toBe(7)
  })
})
