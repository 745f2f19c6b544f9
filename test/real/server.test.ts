import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomModel, scriptedModel } from '../tools/gguf.ts'
import { available, startLlamaServer } from '../tools/llama-server.ts'
import type { LlamaServer } from '../tools/llama-server.ts'
import { demoAnswer, scripts, weatherTool } from '../tools/scripts.ts'

// What the other real tests stand on: the server is there, and the models made here do in it what they promise.

const { missing } = await available()
const because = missing === undefined ? '' : ` (skipped: ${missing})`

interface Reply {
  choices: {
    finish_reason: string
    message: { content: string; reasoning_content?: string; tool_calls?: { function: { name: string; arguments: string } }[] }
  }[]
}

async function ask(server: LlamaServer, content: string, more: Record<string, unknown> = {}): Promise<Reply['choices'][number]> {
  const reply = await post(server, { messages: [{ role: 'user', content }], ...more })
  const { choices } = (await reply.json()) as Reply // the server's answer to a request without mistakes
  const [choice] = choices
  if (choice === undefined) throw new Error('a reply without a choice')
  return choice
}

function post(server: LlamaServer, body: unknown, signal: AbortSignal | null = null): Promise<Response> {
  const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' }
  return fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body), signal })
}

const tools = [{ type: 'function', function: weatherTool }]

describe.skipIf(missing !== undefined)(`a scripted model in a real server${because}`, () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({ model: scriptedModel(scripts) })
  })
  afterAll(() => server.stop())

  it('says its script at temperature 0 and at 2', async () => {
    for (const temperature of [0, 2]) {
      const { message, finish_reason } = await ask(server, 'What is Modelwire?', { temperature })
      expect(message.content).toBe(demoAnswer)
      expect(finish_reason).toBe('stop')
    }
  })

  it('thinks where its script does', async () => {
    const { message } = await ask(server, 'think!')
    expect(message).toMatchObject({ content: 'The answer is four.', reasoning_content: 'Two and two make four.' })
  })

  it('calls tools, freely and when it must', async () => {
    for (const tool_choice of ['auto', 'required']) {
      const { message, finish_reason } = await ask(server, 'compare', { tools, tool_choice })
      expect(finish_reason).toBe('tool_calls')
      expect(message.tool_calls?.map((call) => call.function)).toEqual([
        { name: 'get_weather', arguments: '{"city": "Oslo", "days": 1}' },
        { name: 'get_weather', arguments: '{"city": "Rome", "days": 3}' },
      ])
    }
  })
})

describe.skipIf(missing !== undefined)(`a random model in a real server${because}`, () => {
  let server: LlamaServer
  beforeAll(async () => {
    server = await startLlamaServer({ model: randomModel(1), context: 65_536 })
  })
  afterAll(() => server.stop())

  it('babbles the same for the same seed, up to the limit', async () => {
    const limits = { max_tokens: 50, seed: 7, temperature: 0 }
    const [one, two] = [await ask(server, 'Hello', limits), await ask(server, 'Hello', limits)]
    expect(one.finish_reason).toBe('length')
    expect(one.message.content).not.toContain('\uFFFD')
    expect(two.message.content).toBe(one.message.content)
  })

  it('makes up arguments that fit the schema', async () => {
    const parameters = {
      type: 'object',
      properties: { city: { enum: ['Paris', 'Rome'] }, days: { type: 'integer', minimum: 0, maximum: 9 } },
      required: ['city', 'days'],
      additionalProperties: false,
    }
    const { message, finish_reason } = await ask(server, 'Hello', {
      tools: [{ type: 'function', function: { name: 'plan', parameters } }],
      tool_choice: 'required',
    })
    expect(finish_reason).toBe('tool_calls')
    const [call] = message.tool_calls ?? []
    expect(call?.function.name).toBe('plan')
    expect(JSON.parse(call?.function.arguments ?? '')).toEqual({
      city: expect.stringMatching(/^(Paris|Rome)$/),
      days: expect.any(Number),
    })
  })

  it('shows in its log that a client left in mid-stream', async () => {
    const controller = new AbortController()
    const reply = await post(server, { messages: [{ role: 'user', content: 'Hello' }], stream: true }, controller.signal)
    await reply.body?.getReader().read()
    controller.abort()
    expect(await server.waitForLog(/cancel task/)).toMatch(/stop: cancel task, id_task = \d+/)
  })
})

describe.skipIf(missing !== undefined)(`a server's process${because}`, () => {
  it('is gone after stop, which may be called twice', async () => {
    const server = await startLlamaServer({ model: randomModel(1) })
    await server.stop()
    await server.stop()
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
  })

  it('that cannot start says why', async () => {
    const starting = startLlamaServer({ model: new TextEncoder().encode('no model') })
    await expect(starting).rejects.toThrow(/ended with 1[^]*no model|ended with 1[^]*magic/)
  })
})
