import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRuntime, type Event, type Runtime } from '../../src/index.ts'
import { randomModel, scriptedModel } from '../tools/gguf.ts'
import { available, type LlamaServer, startLlamaServer } from '../tools/llama-server.ts'
import { demoAnswer, scripts, weatherTool } from '../tools/scripts.ts'
import { failure } from '../tools/failure.ts'

// A real server that we didn't write, spoken to through each of its wires by manifests alone.

const { missing } = await available()
const because = missing === undefined ? '' : ` (skipped: ${missing})`
const model = 'llama-server/tiny'

function runtimeFor(server: LlamaServer, apiKey = server.apiKey): Runtime {
  return createRuntime({ retry: false, providers: { 'llama-server': { apiKey, baseUrl: `${server.url}/v1` } } })
}

const wires = [
  { wire: 'chat', cutSays: 'length' },
  // llama-server says `completed` on this wire even for a reply that was cut (seen in b11669).
  { wire: 'responses', cutSays: 'stop' },
  { wire: 'anthropic', cutSays: 'length' },
]

describe.skipIf(missing !== undefined)(`llama-server${because}`, () => {
  let server: LlamaServer
  let long: LlamaServer
  let runtime: Runtime
  beforeAll(async () => {
    server = await startLlamaServer({ model: scriptedModel(scripts) })
    long = await startLlamaServer({ model: randomModel(1), context: 65_536 })
    runtime = runtimeFor(server)
  })
  afterAll(async () => {
    await runtime?.close()
    await server?.stop()
    await long?.stop()
  })

  for (const { wire: name, cutSays } of wires) {
    const wire = name === 'chat' ? {} : { wire: name }

    describe(`its ${name} wire`, () => {
      it('answers whole', async () => {
        const reply = await runtime.chat({ model, ...wire, prompt: 'What is Modelwire?', temperature: 0 })
        expect(reply.text).toBe(demoAnswer)
        expect(reply.finishReason).toBe('stop')
        expect(reply.usage.inputTokens).toBeGreaterThan(5)
        expect(reply.usage.outputTokens).toBeGreaterThan(50)
        expect(reply.warnings).toEqual([])
      })

      it('streams the same answer in many pieces, one start, one finish', async () => {
        const stream = runtime.stream({ model, ...wire, prompt: 'What is Modelwire?', temperature: 0 })
        const events: Event[] = []
        for await (const event of stream) events.push(event)
        const kinds = events.map((event) => event.type)
        expect(kinds[0]).toBe('start')
        expect(kinds.filter((kind) => kind === 'start' || kind === 'finish')).toEqual(['start', 'finish'])
        expect(kinds.filter((kind) => kind === 'text').length).toBeGreaterThan(20)
        const reply = await stream.result
        expect(reply.text).toBe(demoAnswer)
        expect(reply.usage.outputTokens).toBeGreaterThan(50)
      })

      it('thinks apart from what it says, and gets its thoughts back', async () => {
        const reply = await runtime.stream({ model, ...wire, prompt: 'think!' }).result
        expect(reply.reasoning).toBe('Two and two make four.')
        expect(reply.text).toBe('The answer is four.')
        const messages = [
          { role: 'user' as const, content: 'think!' },
          reply.message,
          { role: 'user' as const, content: 'What is Modelwire?' },
        ]
        expect((await runtime.chat({ model, ...wire, messages })).text).toBe(demoAnswer)
      })

      it('calls two tools, gets their results, and answers', async () => {
        const tools = [weatherTool]
        const first = await runtime.stream({ model, ...wire, prompt: 'compare', tools }).result
        expect(first.finishReason).toBe('tool_calls')
        expect(first.toolCalls.map(({ name: tool, arguments: given }) => [tool, given])).toEqual([
          ['get_weather', { city: 'Oslo', days: 1 }],
          ['get_weather', { city: 'Rome', days: 3 }],
        ])
        const results = first.toolCalls.map((call) => ({ type: 'tool_result' as const, id: call.id, content: '17 celsius' }))
        const messages = [{ role: 'user' as const, content: 'compare' }, first.message, { role: 'tool' as const, content: results }]
        const second = await runtime.chat({ model, ...wire, messages, tools })
        expect(second.text).toBe('It is 17 °C in Paris, so take a light coat.')
      })

      it('calls a tool when it is told to, whole', async () => {
        const reply = await runtime.chat({ model, ...wire, prompt: 'weather', tools: [weatherTool], toolChoice: 'required' })
        expect(reply.toolCalls[0]?.arguments).toEqual({ city: 'Paris', days: 2 })
      })

      it('stops at maxTokens', async () => {
        const reply = await runtime.chat({ model, ...wire, prompt: 'What is Modelwire?', maxTokens: 4 })
        expect(reply.finishReason).toBe(cutSays)
        expect(reply.usage.outputTokens).toBeLessThanOrEqual(5)
      })

      it('refuses a wrong key with its own words', async () => {
        const stranger = runtimeFor(server, 'not-the-key')
        const error = await failure(stranger.chat({ model, ...wire, prompt: 'hello' }))
        expect(error).toMatchObject({ kind: 'authentication', status: 401, message: 'Invalid API Key', retryable: false })
        await stranger.close()
      })

      it('says when a prompt is too long', async () => {
        const error = await failure(runtime.stream({ model, ...wire, prompt: 'too long '.repeat(2_000) }).result)
        expect(error).toMatchObject({ kind: 'context_length', status: 400 })
        expect(error.message).toContain('exceeds the available context size')
      })

      it('says when there is no such path', async () => {
        const lost = createRuntime({
          retry: false,
          providers: { 'llama-server': { apiKey: server.apiKey, baseUrl: `${server.url}/v9` } },
        })
        const error = await failure(lost.chat({ model, ...wire, prompt: 'hello' }))
        expect(error).toMatchObject({ kind: 'not_found', status: 404, message: 'File Not Found' })
        await lost.close()
      })

      it('stops working when the consumer leaves', async () => {
        const reader = runtimeFor(long)
        const before = long.log().length
        let pieces = 0
        for await (const event of reader.stream({ model, ...wire, prompt: 'go on', maxTokens: 20_000 })) {
          if ((event.type === 'text' || event.type === 'reasoning') && ++pieces === 5) break
        }
        await expect.poll(() => long.log().slice(before), { timeout: 5_000 }).toMatch(/cancel task/)
        await reader.close()
      })
    })
  }

  it('follows a JSON Schema', async () => {
    const output = {
      type: 'object',
      properties: { city: { type: 'string' }, celsius: { type: 'integer' } },
      required: ['city', 'celsius'],
      additionalProperties: false,
    }
    const reply = await runtime.chat({ model, prompt: 'JSON please', output })
    expect(reply.object).toEqual({ city: 'Paris', celsius: 17 })
  })

  it('goes on with a text on the legacy wire', async () => {
    const reply = await runtime.chat({ model, prompt: 'Hello', wire: 'completions', maxTokens: 5 })
    expect(reply.usage.outputTokens).toBeLessThanOrEqual(5)
  })

  it('lists its model', async () => {
    expect((await runtime.listModels({ provider: 'llama-server' })).map(({ id }) => id)).toContain('tiny')
  })
})

describe.skipIf(missing !== undefined)(`llama-server for embeddings${because}`, () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({ model: randomModel(3), args: ['--embeddings', '--pooling', 'mean'] })
  })
  afterAll(() => server?.stop())

  it('gives a vector a text, in order', async () => {
    const runtime = runtimeFor(server)
    const together = await runtime.embed({ model, input: ['a small text', 'another'] })
    const alone = await runtime.embed({ model, input: 'another' })
    expect(together.embeddings).toHaveLength(2)
    const [first = 0] = alone.embeddings[0] ?? []
    expect(together.embeddings[1]?.[0]).toBeCloseTo(first, 4)
    expect(together.usage.inputTokens).toBeGreaterThan(0)
    await runtime.close()
  })
})
