import { describe, expect, it } from 'vitest'
import type { ChatRequest, Message } from '../../src/index.ts'
import { createRuntime } from '../../src/index.ts'
import { hasOpenApi, openApi, type OpenApi } from '../tools/openapi.ts'

const file = 'ollama-openapi/docs/openapi.yaml'
if (!hasOpenApi(file)) console.log(`skipped: ../shared/suites/${file} isn't here`)

const runtime = createRuntime({ env: {} })
const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47])
const tools = [
  {
    name: 'weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
  { name: 'now' },
]
const turns: Message[] = [
  { role: 'user', content: 'What is the weather?' },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'Two calls.' },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_call', id: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
      { type: 'tool_call', id: 'c2', name: 'now', arguments: {} },
    ],
  },
  { role: 'tool', content: [{ type: 'tool_result', id: 'c1', content: 'rain' }] },
  {
    role: 'tool',
    content: [
      {
        type: 'tool_result',
        id: 'c2',
        content: [
          { type: 'text', text: 'see' },
          { type: 'image', data: png, mediaType: 'image/png' },
        ],
      },
    ],
  },
]

const requests: Record<string, Omit<ChatRequest, 'model'>> = {
  text: { prompt: 'Hello' },
  'a system text': { system: 'Be brief.', prompt: 'Hello' },
  'an image': {
    prompt: [
      { type: 'text', text: 'What is it?' },
      { type: 'image', data: png, mediaType: 'image/png' },
    ],
  },
  'turns with tools': { messages: turns, tools },
  'no tool wanted': { prompt: 'Hello', tools, toolChoice: 'none' },
  'an output schema': { prompt: 'Hello', output: { type: 'object', properties: { a: { type: 'number' } } } },
  options: {
    prompt: 'Hello',
    maxTokens: 5,
    temperature: 0,
    topP: 0.5,
    topK: 3,
    stop: 'END',
    seed: 1,
    frequencyPenalty: 0.1,
    presencePenalty: 0.1,
    logprobs: 2,
  },
  'thinking off': { prompt: 'Hello', reasoning: { effort: 'none' } },
  'thinking on': { prompt: 'Hello', reasoning: { effort: 'high' } },
}

describe.skipIf(!hasOpenApi(file))("what Ollama's own description says of our requests", () => {
  let read: OpenApi | undefined
  const api = (): OpenApi => (read ??= openApi(file)) // what is skipped is still collected, and the file may not be there
  const sent = (request: Omit<ChatRequest, 'model'>, model: string, wire?: string) =>
    runtime.explain({ ...request, model, ...(wire === undefined ? {} : { wire }) } as ChatRequest)

  for (const [name, request] of Object.entries(requests)) {
    for (const model of ['ollama/llama3.2', 'ollama/gpt-oss:20b']) {
      it(`${name} fits (${model})`, () => {
        const { body, warnings, url } = sent(request, model)
        expect(url).toBe('http://localhost:11434/api/chat')
        expect(api().check('ChatRequest', body)).toEqual([])
        expect(Object.keys(body as object).filter((key) => !api().keys('ChatRequest').has(key))).toEqual([])
        expect(warnings).toEqual([])
      })
    }
  }

  for (const name of ['text', 'a system text', 'an image', 'an output schema', 'options', 'thinking off']) {
    it(`${name} fits as one prompt`, () => {
      const { body, warnings, url } = sent(requests[name] ?? {}, 'ollama/llama3.2', 'generate')
      expect(url).toBe('http://localhost:11434/api/generate')
      expect(api().check('GenerateRequest', body)).toEqual([])
      expect(warnings).toEqual([])
    })
  }

  it('texts to embed fit', () => {
    const { body, warnings, url } = runtime.explain(
      { model: 'ollama/all-minilm', input: ['a', 'b'], dimensions: 8 },
      { operation: 'embed' },
    )
    expect(url).toBe('http://localhost:11434/api/embed')
    expect(api().check('EmbedRequest', body)).toEqual([])
    expect(warnings).toEqual([])
  })
})

describe('what Ollama has no place for', () => {
  it.each([
    ['a choice of tool', { prompt: 'x', tools, toolChoice: 'required' }, 'toolChoice.type'],
    ['a link to an image', { prompt: [{ type: 'image', url: 'https://example.com/a.png' }] }, 'url'],
    ['a budget for thinking', { prompt: 'x', reasoning: { effort: 'high', budgetTokens: 100 } }, 'reasoning.budgetTokens'],
    ['several choices', { prompt: 'x', n: 2 }, 'n'],
  ] satisfies [string, Omit<ChatRequest, 'model'>, string][])('%s is told', (_name, request, field) => {
    expect(
      runtime.explain({ model: 'ollama/llama3.2', ...request } as ChatRequest).warnings.map((warning) => warning.field),
    ).toContain(field)
  })
})
