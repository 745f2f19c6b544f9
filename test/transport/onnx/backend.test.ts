import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../tools/call.ts'
import { embed, engineOf, row, rows, sum, unit, near } from '../../tools/onnx-engine.ts'
import { modelOf, scratch, tokenModel } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'

const blueSky = ['[CLS]', 'blue', 'sky', '[SEP]']

describe.skipIf(onnxRuntime === undefined)('where a model is, and what computes it', () => {
  it('a plain folder works, in both ways that models are published', async () => {
    const { file, files } = modelOf(tokenModel(rows))
    const flat = scratch()
    copyFileSync(file, join(flat, 'model.onnx'))
    copyFileSync(String(files.tokenizer), join(flat, 'tokenizer.json'))
    const deep = scratch()
    mkdirSync(join(deep, 'onnx'))
    copyFileSync(file, join(deep, 'onnx/model.onnx'))
    copyFileSync(String(files.tokenizer), join(deep, 'tokenizer.json'))
    for (const folder of [flat, deep]) {
      const engine = engineOf({ id: folder, file: folder, files: {}, config: {} })
      expect((await embed(engine, 'blue sky')).vectors[0]).toEqual(near(unit(sum(...blueSky.map(row)))))
    }
  })

  it.each([
    ['pooling_mode_cls_token', unit(row('[CLS]'))],
    ['pooling_mode_lasttoken', unit(row('[SEP]'))],
    ['pooling_mode_mean_tokens', unit(sum(...blueSky.map(row)))],
  ])('the %s that was published beside it is taken', async (mode, expected) => {
    const model = modelOf(tokenModel(rows))
    const folder = dirname(model.file)
    mkdirSync(join(folder, '1_Pooling'))
    writeFileSync(
      join(folder, '1_Pooling/config.json'),
      JSON.stringify({ word_embedding_dimension: 6, [mode]: true, include_prompt: true }),
    )
    writeFileSync(join(folder, 'sentence_bert_config.json'), '{"max_seq_length": 4}')
    const engine = engineOf({ ...model, file: folder })
    expect((await embed(engine, 'blue sky')).vectors[0]).toEqual(near(expected))
    expect(await failureOf(embed(engine, 'the blue sky'))).toMatchObject({ kind: 'context_length' })
  })

  it('a published pooling that there is none of is refused, unless the manifest says which', async () => {
    const model = modelOf(tokenModel(rows))
    mkdirSync(join(dirname(model.file), '1_Pooling'))
    writeFileSync(join(dirname(model.file), '1_Pooling/config.json'), '{"pooling_mode_max_tokens": true}')
    const error = await failureOf(embed(engineOf(model), 'blue'))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('pooling_mode_max_tokens') })
    expect((await embed(engineOf({ ...model, config: { pooling: 'cls' } }), 'blue')).vectors[0]).toEqual(near(unit(row('[CLS]'))))
  })

  it('health says what is loaded and what computes', async () => {
    const engine = engineOf(modelOf(tokenModel(rows)))
    expect(await engine.health()).toMatchObject({ available: true, models: [], devices: [{ kind: 'cpu' }] })
    await embed(engine, 'blue', { backend: 'cpu' })
    const health = await engine.health()
    expect(health).toMatchObject({ available: true, backend: 'cpu', models: [{ state: 'ready' }] })
    expect(health).not.toHaveProperty('note')
  })

  it('a backend that nobody knows is refused with those that are known', async () => {
    const error = await failureOf(embed(engineOf(modelOf(tokenModel(rows))), 'blue', { backend: 'abacus' }))
    expect(error).toMatchObject({ kind: 'configuration', hint: expect.stringContaining('it knows cpu') })
  })

  it('cuda without its libraries is refused, and auto makes do with the processor and says so', async ({ skip }) => {
    const engine = engineOf(modelOf(tokenModel(rows)))
    const asked = await embed(engine, 'blue', { backend: 'cuda' }).catch((error: unknown) => error)
    if (!(asked instanceof Error)) return skip('this machine has CUDA')
    expect(asked).toMatchObject({ kind: 'configuration', message: expect.stringContaining('cuda') })
    expect((await embed(engine, 'blue')).vectors).toHaveLength(1)
    expect(await engine.health()).toMatchObject({ backend: 'cpu', note: expect.stringMatching(/^cuda can't be used here: /) })
  })
})
