import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
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
