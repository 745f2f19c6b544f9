import { utimesSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../tools/call.ts'
import { embed, engineOf, row, rows, size, sum, unit, near } from '../../tools/onnx-engine.ts'
import { modelOf, table, tokenModel } from '../../tools/onnx-models.ts'
import { countingRuntime, onnxRuntime } from '../../tools/onnx-runtime.ts'
import { encodeModel } from '../../tools/onnx.ts'
import { wordIds } from '../../tools/tokenizers.ts'

describe.skipIf(onnxRuntime === undefined)('many at a time', () => {
  it('50 calls at once load the model once and all get their own vectors', async () => {
    const runtime = countingRuntime()
    const engine = engineOf(modelOf(tokenModel(rows), { batchTokens: 16 }), runtime)
    const words = ['blue', 'sky', 'the', 'why', 'is']
    const calls = Array.from({ length: 50 }, (_, at) => embed(engine, [words[at % 5] ?? '', 'why is the sky blue ?']))
    const results = await Promise.all(calls)
    for (const [at, { vectors }] of results.entries())
      expect(vectors[0]).toEqual(near(unit(sum(row('[CLS]'), row(words[at % 5] ?? ''), row('[SEP]')))))
    const { models } = await engine.health()
    expect(models).toMatchObject([{ id: 'small', state: 'ready', active: 0, waiting: 0 }])
    expect(runtime).toMatchObject({ opened: 1, freed: 0 })
  })

  it('an abort ends a call between two runs, and the others go on', async () => {
    const engine = engineOf(modelOf(tokenModel(rows), { batchTokens: 8 }))
    const long = Array.from({ length: 4_000 }, () => 'the sky is blue')
    const controller = new AbortController()
    const stopped = failureOf(embed(engine, long, {}, controller.signal))
    const other = embed(engine, 'blue')
    setTimeout(() => controller.abort(new Error('enough')), 30)
    const error = await stopped
    expect(error).toMatchObject({ kind: 'cancelled', cause: expect.objectContaining({ message: 'enough' }) })
    expect((await other).vectors).toHaveLength(1)
    expect((await engine.health()).models).toMatchObject([{ active: 0, waiting: 0 }])
  })

  it('a call that is aborted before it began does nothing', async () => {
    const engine = engineOf(modelOf(tokenModel(rows)))
    expect(await failureOf(embed(engine, 'blue', {}, AbortSignal.abort()))).toMatchObject({ kind: 'cancelled' })
    expect((await engine.health()).models).toEqual([])
  })

  it('close ends what runs, frees the models, and refuses what comes later', async () => {
    const runtime = countingRuntime()
    const engine = engineOf(modelOf(tokenModel(rows), { batchTokens: 8 }), runtime)
    await embed(engine, 'blue')
    const running = Array.from({ length: 3 }, () =>
      failureOf(
        embed(
          engine,
          Array.from({ length: 4_000 }, () => 'the sky'),
        ),
      ),
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
    await engine.close()
    expect(runtime).toMatchObject({ opened: 1, freed: 1 })
    for (const error of await Promise.all(running))
      expect(error).toMatchObject({ kind: 'cancelled', message: 'The runtime is closed.' })
    expect((await engine.health()).models).toEqual([])
    expect(await failureOf(embed(engine, 'blue'))).toMatchObject({ kind: 'cancelled' })
  })

  it('a model that nobody uses leaves, and comes back when it is wanted', async () => {
    const runtime = countingRuntime()
    const engine = engineOf(modelOf(tokenModel(rows)), { ...runtime, idleMs: 30 })
    const first = await embed(engine, 'blue')
    expect((await engine.health()).models).toHaveLength(1)
    await expect.poll(async () => (await engine.health()).models).toEqual([])
    expect(runtime).toMatchObject({ opened: 1, freed: 1 })
    expect((await embed(engine, 'blue')).vectors).toEqual(first.vectors)
    expect(runtime).toMatchObject({ opened: 2, freed: 1 })
  })

  it('a model that is used again and again stays', async () => {
    const runtime = countingRuntime()
    const engine = engineOf(modelOf(tokenModel(rows)), { ...runtime, idleMs: 400 })
    for (let at = 0; at < 8; at++) {
      await embed(engine, 'blue')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(runtime).toMatchObject({ opened: 1, freed: 0 })
  })

  it('a file that was replaced is loaded anew', async () => {
    const model = modelOf(tokenModel(rows), { pooling: 'cls' })
    const engine = engineOf(model)
    await embed(engine, 'blue')
    const others = table(size, 6, 4)
    writeFileSync(model.file, encodeModel(tokenModel(others)))
    utimesSync(model.file, new Date(), new Date(Date.now() + 5_000))
    expect((await embed(engine, 'blue')).vectors[0]).toEqual(near(unit(others[wordIds['[CLS]'] ?? NaN] ?? [])))
  })
})
