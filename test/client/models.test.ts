import { describe, expect, it } from 'vitest'
import { createRuntime } from '../../src/index.ts'

describe('the models that a runtime knows', () => {
  it('are those of this machine where no provider is named, and for a provider of this process', async () => {
    await using mw = createRuntime({ env: { MODELWIRE_MODELS: '/nowhere' } })
    expect(await mw.listModels()).toEqual([{ id: 'llama/pocket', name: 'Pocket', contextLength: 2048 }])
    expect(await mw.listModels({ provider: 'llama' })).toEqual([{ id: 'pocket', name: 'Pocket', contextLength: 2048 }])
    expect(await mw.getModel('llama/pocket')).toEqual({ id: 'llama/pocket', name: 'Pocket', contextLength: 2048 })
    expect(await mw.getModel('llama/none')).toBeUndefined()
  })

  it('a provider that can’t list its own says so', async () => {
    await using mw = createRuntime({ env: {} })
    await expect(mw.listModels({ provider: 'voyage' })).rejects.toMatchObject({ kind: 'unsupported' })
  })
})

describe('what a runtime did, and how it is', () => {
  it('calls are counted by model, with failures by kind', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu' } } })
    await mw.chat({ model: 'llama/pocket', prompt: 'Hello' })
    await mw.stream({ model: 'llama/pocket', prompt: 'Hello' }).result
    await mw.chat({ model: 'llama/pocket', prompt: 'word '.repeat(4000) }).catch(() => undefined)
    for await (const event of mw.stream({ model: 'llama/pocket', prompt: 'What is Modelwire?' })) if (event.type === 'text') break
    const { total, models, active, tasks } = mw.metrics()
    expect(total).toMatchObject({ calls: 4, succeeded: 2, failed: 1, cancelled: 1, errors: { context_length: 1 } })
    expect(models['llama/pocket chat']).toEqual(total)
    expect(total.outputTokens).toBeGreaterThan(4)
    expect(total.outputTokensPerSecond).toBeGreaterThan(0)
    expect(active).toBe(0)
    expect(tasks).toMatchObject({ waiting: 0, active: 0 })
    const { status, engines, memory, services } = await mw.health()
    expect(status).toBe('ok')
    expect(engines.llama.devices.some(({ kind, freeBytes = 0 }) => kind === 'cpu' && freeBytes > 0)).toBe(true)
    expect(engines.llama.models).toMatchObject([{ id: 'pocket', state: 'ready' }])
    expect(memory.freeBytes).toBeGreaterThan(0)
    expect(services).toEqual({})
  })
})
