import { expect, it, describe, onTestFinished } from 'vitest'
import { readAll } from '../../../src/client/live.ts'
import { createOpen } from '../../../src/client/opening.ts'
import { createPlan } from '../../../src/client/planning.ts'
import { createRegistry } from '../../../src/client/registry.ts'
import type { Event } from '../../../src/core/event.ts'
import { type Normal, normalizeEmbed } from '../../../src/core/normalize.ts'
import type { EmbedRequest } from '../../../src/core/request.ts'
import { bundledProtocols, createCatalog } from '../../../src/manifest/catalog.ts'
import { createHttpTransport } from '../../../src/transport/http.ts'
import type { LocatedModel } from '../../../src/wire/engine.ts'
import { failureOf } from '../../tools/call.ts'
import { engineOf, near, row, rows, size, sum, unit } from '../../tools/onnx-engine.ts'
import { modelOf, summedModel, table, tokenModel } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'

/** The whole way of a call through the bundled manifest, with a model that the test made. */
function callsTo(model: LocatedModel, env: Record<string, string> = {}) {
  const engine = engineOf(model)
  const http = createHttpTransport({ env: {} })
  onTestFinished(() => http.close())
  const plan = createPlan({}, env, createRegistry(createCatalog({ paths: [bundledProtocols], env })))
  const open = createOpen({}, env, { http, llama: http, onnx: engine.call })
  return async (input: Omit<EmbedRequest, 'input'>, operation: string, normal: (model: string) => Normal): Promise<Event[]> => {
    const live = await open(plan(input, operation, normal), input)
    const events: Event[] = []
    await readAll(live, (batch) => void events.push(...batch))
    return events
  }
}

describe.skipIf(onnxRuntime === undefined)('the bundled manifest', () => {
  const embed = (model: LocatedModel, input: Omit<EmbedRequest, 'model'>, env?: Record<string, string>): Promise<Event[]> => {
    const whole = { ...input, model: 'onnx/small' }
    return callsTo(model, env)(whole, 'embed', (name) => normalizeEmbed(whole, name))
  }

  it('makes events of what the engine says', async () => {
    const events = await embed(modelOf(tokenModel(rows)), { input: ['blue', 'the sky'], dimensions: 4 })
    expect(events).toEqual([
      { type: 'start', model: 'small' },
      { type: 'embedding', index: 0, vector: near(unit(sum(...['[CLS]', 'blue', '[SEP]'].map(row)).slice(0, 4))) },
      { type: 'embedding', index: 1, vector: near(unit(sum(...['[CLS]', 'the', 'sky', '[SEP]'].map(row)).slice(0, 4))) },
      { type: 'usage', inputTokens: 7, totalTokens: 7, raw: { tokens: 7 } },
    ])
  })

  it('a text that was cut because the caller wished so is a warning', async () => {
    const model = modelOf(tokenModel(rows), { maxTokens: 3 })
    const events = await embed(model, { input: 'blue sky', extra: { truncate: true } })
    expect(events).toContainEqual({ type: 'warning', field: 'input', reason: 'cut to 3 tokens: [0] by 1' })
    const error = await failureOf(embed(model, { input: 'blue sky' }))
    expect(error).toMatchObject({ kind: 'context_length', provider: 'onnx', model: 'small', attempts: 1 })
  })

  it('the variable says what computes', async () => {
    const error = await failureOf(embed(modelOf(tokenModel(rows)), { input: 'blue' }, { MODELWIRE_ONNX_BACKEND: 'abacus' }))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('abacus') })
  })

  it('reranks', async () => {
    const call = callsTo(modelOf(summedModel(table(size, 1, 3), 'logits')))
    const input = { model: 'onnx/small' }
    const request = { model: 'small', stream: false, query: 'why', documents: ['blue', 'the sky', 'sky'], topN: 2 }
    const events = await call(input, 'rerank', () => ({ request, warnings: [], partTypes: new Set() }))
    expect(events.map(({ type }) => type)).toEqual(['start', 'score', 'score', 'usage'])
    const [first, second] = events.filter((event) => event.type === 'score')
    expect(first?.score).toBeGreaterThan(second?.score ?? NaN)
  })

  it('a clock of the caller ends a call', async () => {
    const model = modelOf(tokenModel(rows), { batchTokens: 6 })
    const error = await failureOf(
      embed(model, { input: Array.from({ length: 20_000 }, () => 'the sky is blue'), timeout: 50, retry: false }),
    )
    expect(error).toMatchObject({ kind: 'timeout', phase: 'total' })
  })
})
