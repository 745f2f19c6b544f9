import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRuntime, type Runtime } from '../../src/index.ts'
import { randomModel, scriptedModel } from '../tools/gguf.ts'
import { available, type LlamaServer, startLlamaServer } from '../tools/llama-server.ts'
import { demoAnswer, scripts, weatherTool } from '../tools/scripts.ts'

// The manifest `llama-server` against a server that we didn't write: all its wires say the same.

const { missing } = await available()
const because = missing === undefined ? '' : ` (skipped: ${missing})`
const model = 'llama-server/tiny'
const tools = [weatherTool]
const question = (prompt: string) => ({ role: 'user' as const, content: prompt })

function runtimeFor(server: LlamaServer, apiKey = server.apiKey): Runtime {
  return createRuntime({ env: {}, providers: { 'llama-server': { baseUrl: `${server.url}/v1`, apiKey } } })
}

describe.skipIf(missing !== undefined)(`the wires of llama-server${because}`, () => {
  let server: LlamaServer
  let mw: Runtime
  beforeAll(async () => {
    server = await startLlamaServer({ model: scriptedModel(scripts) })
    mw = runtimeFor(server)
  })
  afterAll(async () => {
    await mw.close()
    await server.stop()
  })

  for (const wire of [undefined, 'responses', 'anthropic']) {
    const spoken = wire === undefined ? {} : { wire }
    const name = wire ?? 'chat'

    it(`${name}: text, whole and streamed`, async () => {
      const request = { model, prompt: 'What is Modelwire?', ...spoken }
      const reply = await mw.chat(request)
      expect(reply).toMatchObject({ text: demoAnswer, finishReason: 'stop', warnings: [] })
      expect(await mw.stream(request).result).toMatchObject({ text: demoAnswer, finishReason: 'stop' })
      expect(reply.usage.outputTokens).toBeGreaterThan(10)
    })

    it(`${name}: thoughts come apart from the text, and go back`, async () => {
      const reply = await mw.chat({ model, prompt: 'think!', ...spoken })
      expect(reply).toMatchObject({ text: 'The answer is four.', reasoning: 'Two and two make four.' })
      const messages = [question('think!'), reply.message, question('What is Modelwire?')]
      expect((await mw.chat({ model, messages, ...spoken })).text).toBe(demoAnswer)
    })

    it(`${name}: two calls, whole and streamed, and their results`, async () => {
      const request = { model, prompt: 'compare', tools, ...spoken }
      const calls = [
        { name: 'get_weather', arguments: { city: 'Oslo', days: 1 } },
        { name: 'get_weather', arguments: { city: 'Rome', days: 3 } },
      ]
      const reply = await mw.chat(request)
      expect(reply).toMatchObject({ finishReason: 'tool_calls', toolCalls: calls })
      expect(await mw.stream(request).result).toMatchObject({ finishReason: 'tool_calls', toolCalls: calls })
      const content = reply.toolCalls.map(({ id }) => ({ type: 'tool_result' as const, id, content: 'sunny' }))
      const next = await mw.chat({
        model,
        messages: [question('compare'), reply.message, { role: 'tool', content }],
        tools,
        ...spoken,
      })
      expect(next.text).not.toBe('')
    })
  }

  it('completions: text goes on', async () => {
    const reply = await mw.chat({ model, prompt: 'Hello', wire: 'completions', maxTokens: 5 })
    expect(reply.usage.outputTokens).toBeLessThanOrEqual(5)
  })

  it('a prompt that is too long and a wrong key are told apart', async () => {
    await expect(mw.chat({ model, prompt: 'word '.repeat(9_000) })).rejects.toMatchObject({ kind: 'context_length' })
    const stranger = runtimeFor(server, 'wrong')
    await expect(stranger.chat({ model, prompt: 'Hello' })).rejects.toMatchObject({ kind: 'authentication' })
    await stranger.close()
  })
})

describe.skipIf(missing !== undefined)(`embeddings of llama-server${because}`, () => {
  it('come back as numbers, in the order of the texts', async () => {
    const server = await startLlamaServer({ model: randomModel(1), args: ['--embeddings', '--pooling', 'mean'] })
    const mw = runtimeFor(server)
    try {
      const [both, alone] = [await mw.embed({ model, input: ['a', 'b c'] }), await mw.embed({ model, input: 'b c' })]
      expect(both.embeddings).toHaveLength(2)
      expect(both.embeddings[1]?.[0]).toBeCloseTo(alone.embeddings[0]?.[0] ?? Number.NaN, 4)
    } finally {
      await mw.close()
      await server.stop()
    }
  })
})
