import { describe, expect, it } from 'vitest'
import { failureOf } from '../../tools/call.ts'
import { engineOf, rows, run, size } from '../../tools/onnx-engine.ts'
import { modelOf, summedModel, table } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'
import { wordIds } from '../../tools/tokenizers.ts'

describe.skipIf(onnxRuntime === undefined)('a cross-encoder', () => {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
  const scores = table(size, 1, 3)
  const raw = (...words: string[]): number => words.reduce((total, word) => total + (scores[wordIds[word] ?? NaN]?.[0] ?? NaN), 0)
  const documents = ['the sky', 'blue', 'unhappys', '']
  const pairs = [['the', 'sky'], ['blue'], ['un', '##happy', '##s'], []]
  const expected = pairs
    .map((words, index) => ({ index, score: sigmoid(raw('[CLS]', 'why', '[SEP]', ...words, '[SEP]')) }))
    .toSorted((left, right) => right.score - left.score)

  it('puts the best first, and says which document it was', async () => {
    const engine = engineOf(modelOf(summedModel(scores, 'logits')))
    const { scores: found, tokens } = await run(engine, 'rerank', { query: 'why', documents })
    expect(found.map(({ index }) => index)).toEqual(expected.map(({ index }) => index))
    for (const [at, { score }] of expected.entries()) expect(found[at]?.score).toBeCloseTo(score, 6)
    expect(tokens).toBe(6 + 5 + 7 + 4)
    const best = await run(engine, 'rerank', { query: 'why', documents, topN: 2 })
    expect(best.scores).toEqual(found.slice(0, 2))
  })

  it('gives its plain number when the model wants that, and the share of yes of two', async () => {
    const plain = engineOf(modelOf(summedModel(scores, 'logits'), { activation: 'none' }))
    const [only] = (await run(plain, 'rerank', { query: 'why', documents: ['blue'] })).scores
    expect(only?.score).toBeCloseTo(raw('[CLS]', 'why', '[SEP]', 'blue', '[SEP]'), 5)
    const two = scores.map(([score = NaN]) => [0, score])
    const shared = engineOf(modelOf(summedModel(two, 'logits')))
    expect((await run(shared, 'rerank', { query: 'why', documents: ['blue'] })).scores[0]?.score).toBeCloseTo(
      expected.find(({ index }) => index === 1)?.score ?? NaN,
      6,
    )
  })

  it('a model with many labels is refused clearly', async () => {
    const engine = engineOf(modelOf(summedModel(rows, 'logits')))
    const error = await failureOf(run(engine, 'rerank', { query: 'why', documents: ['blue'] }))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('[1, 6]') })
  })
})
