import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/client/registry.ts'
import { normalizeChat, normalizeEmbed } from '../../src/core/normalize.ts'
import type { ChatRequest, EmbedRequest } from '../../src/core/request.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { hasOpenApi, openApi } from '../tools/openapi.ts'

/** What our templates send is what OpenAI's own description of its API allows, field by field. */
const file = 'openai-openapi/openapi.yaml'
const present = hasOpenApi(file)
if (!present) console.log(`skipped: ../shared/suites/${file} isn't here, so no request is compared with it`)

const registry = createRegistry(createCatalog({ paths: [bundledProtocols] }))
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }
const weather = { name: 'weather', description: 'The weather of a city', parameters: city, strict: true }

const prompt = 'How is the weather in Oslo?'
const turns: ChatRequest['messages'] = [
  { role: 'user', content: prompt },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'I should look.' },
      { type: 'text', text: 'One moment.' },
      { type: 'tool_call', id: 'call_1', name: 'weather', arguments: { city: 'Oslo' } },
      { type: 'tool_call', id: 'call_2', name: 'picture', arguments: {} },
      { type: 'tool_call', id: 'call_3', name: 'note', arguments: 'free text', kind: 'custom' },
    ],
  },
  {
    role: 'tool',
    content: [
      { type: 'tool_result', id: 'call_1', content: { sky: 'clear' } },
      {
        type: 'tool_result',
        id: 'call_2',
        content: [
          { type: 'text', text: 'here' },
          { type: 'image', data: pixel, mediaType: 'image/png' },
        ],
      },
      { type: 'tool_result', id: 'call_3', content: 'no such note', failed: true },
    ],
  },
  { role: 'assistant', content: 'Clear.' },
  { role: 'user', content: 'And tomorrow?' },
]

const chats: Record<string, Omit<ChatRequest, 'model'>> = {
  'a prompt': { prompt },
  'a system text and a system message': {
    system: 'Be brief.',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: prompt },
    ],
  },
  'images by address and as bytes': {
    prompt: [
      { type: 'text', text: 'What is it?' },
      { type: 'image', url: 'https://example.org/a.png' },
      { type: 'image', data: pixel, mediaType: 'image/png' },
    ],
  },
  'a file with and without a name': {
    prompt: [
      { type: 'text', text: 'What is in them?' },
      { type: 'file', data: 'JVBERi0xLjQ=', mediaType: 'application/pdf', name: 'a.pdf' },
      { type: 'file', data: 'JVBERi0xLjQ=', mediaType: 'application/pdf' },
    ],
  },
  'sound as WAV and MP3': {
    prompt: [
      { type: 'text', text: 'What is said?' },
      { type: 'audio', data: 'UklGRg==', mediaType: 'audio/x-wav' },
      { type: 'audio', data: 'SUQz', mediaType: 'audio/mpeg' },
    ],
  },
  'a conversation with tools': {
    messages: turns,
    tools: [weather, { name: 'picture' }, { raw: { type: 'custom', custom: { name: 'note' } } }],
    parallelToolCalls: false,
  },
  'the choice auto': { prompt, tools: [weather], toolChoice: 'auto' },
  'the choice none': { prompt, tools: [weather], toolChoice: 'none' },
  'the choice required': { prompt, tools: [weather], toolChoice: 'required' },
  'the choice of one tool': { prompt, tools: [weather], toolChoice: { type: 'tool', name: 'weather' } },
  'a strict schema': { prompt, output: city },
  'a loose schema': { prompt, output: { type: 'object' } },
  'all sampling options': {
    prompt,
    maxTokens: 9,
    temperature: 0.5,
    topP: 0.9,
    stop: ['a', 'b'],
    seed: 7,
    frequencyPenalty: 0.1,
    presencePenalty: -0.1,
    n: 2,
    logprobs: 3,
  },
  effort: { prompt, reasoning: { effort: 'low' } },
  'a user, metadata and a cache key': { prompt, user: 'u-1', metadata: { trip: '7' }, cache: { key: 'k' } },
}

const embeds: Record<string, Omit<EmbedRequest, 'model'>> = {
  'a text': { input: 'a' },
  texts: { input: ['a', 'b'], dimensions: 256, user: 'u-1' },
}

describe.skipIf(!present)("requests as OpenAI's description wants them", () => {
  const described = present ? openApi(file) : undefined
  const problems = (schema: string, body: unknown): string[] => {
    const known = described?.keys(schema)
    const unknown = Object.keys(body as object).filter((key) => known?.has(key) !== true) // a body is a map
    return [...unknown.map((key) => `${key} is no field of ${schema}`), ...(described?.check(schema, body) ?? [])]
  }
  const chatBody = (dialect: string, request: Omit<ChatRequest, 'model'>, stream: boolean): unknown => {
    const normal = normalizeChat({ model: 'm', ...request }, 'm', dialect, stream)
    return registry.operation(dialect, 'chat', 'm').body?.(normal.request, { request: normal.request, env: {} })
  }

  for (const [name, request] of Object.entries(chats)) {
    it(`a chat with ${name}`, () => {
      expect(problems('CreateChatCompletionRequest', chatBody('openai-chat', request, false))).toEqual([])
      expect(problems('CreateChatCompletionRequest', chatBody('openai-chat', request, true))).toEqual([])
    })

    it(`a completion with ${name}`, () => {
      expect(problems('CreateCompletionRequest', chatBody('openai-completions', request, true))).toEqual([])
    })
  }

  for (const [name, request] of Object.entries(embeds)) {
    it(`embeddings of ${name}`, () => {
      const { request: normal } = normalizeEmbed({ model: 'm', ...request }, 'm')
      const body = registry.operation('openai-embeddings', 'embed', 'm').body?.(normal, { request: normal, env: {} })
      expect(problems('CreateEmbeddingRequest', body)).toEqual([])
    })
  }
})

describe('requests of the wire chat', () => {
  const body = (provider: string, request: Omit<ChatRequest, 'model'>, model = 'm'): Record<string, unknown> => {
    const normal = normalizeChat({ model, ...request }, model, provider, false)
    return registry.operation(provider, 'chat', model).body?.(normal.request, { request: normal.request, env: {} }) as Record<
      string,
      unknown
    > // each of these has a body that is a map
  }
  const assistant = (provider: string, messages: ChatRequest['messages'] = turns, model?: string): Record<string, unknown> =>
    (body(provider, { messages: messages ?? [] }, model).messages as Record<string, unknown>[]).find(
      ({ role }) => role === 'assistant',
    ) ?? {}

  it('one turn of results becomes a message each, and what a result cannot hold follows them', () => {
    const messages = body('openai-chat', { messages: turns }).messages as { role: string; content: unknown }[]
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'tool', 'user', 'assistant', 'user'])
    expect(messages[5]?.content).toEqual([{ type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } }])
  })

  it('a text alone goes as text', () => {
    expect(body('openai-chat', { prompt }).messages).toEqual([{ role: 'user', content: prompt }])
  })

  it('thoughts stay at home where nobody wants them', () => {
    expect(Object.keys(assistant('openai-chat'))).toEqual(['role', 'content', 'tool_calls'])
  })

  it('DeepSeek gets the thoughts of a turn with calls back, even empty ones, and of no other turn', () => {
    expect(assistant('deepseek').reasoning_content).toBe('I should look.')
    const silent: ChatRequest['messages'] = [
      { role: 'assistant', content: [{ type: 'tool_call', id: '1', name: 'weather', arguments: {} }] },
      { role: 'user', content: 'x' },
    ]
    expect(assistant('deepseek', silent).reasoning_content).toBe('')
    expect(
      assistant('deepseek', [
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 'hm' },
            { type: 'text', text: 'a' },
          ],
        },
      ]),
    ).not.toHaveProperty('reasoning_content')
  })

  it('Kimi gets the thoughts of every turn back, and a space where there were none', () => {
    expect(assistant('moonshot', turns, 'kimi-k2.6').reasoning_content).toBe('I should look.')
    expect(assistant('moonshot', [{ role: 'assistant', content: 'a' }], 'kimi-k2.6').reasoning_content).toBe(' ')
    expect(assistant('moonshot', [{ role: 'assistant', content: 'a' }], 'moonshot-v1-8k')).not.toHaveProperty('reasoning_content')
  })

  it('Mistral gets thoughts as parts of the content, and its own words', () => {
    expect(assistant('mistral').content).toEqual([
      { type: 'thinking', thinking: [{ type: 'text', text: 'I should look.' }] },
      { type: 'text', text: 'One moment.' },
    ])
    expect(body('mistral', { prompt, toolChoice: 'required', tools: [weather], seed: 7, maxTokens: 5 })).toMatchObject({
      tool_choice: 'any',
      random_seed: 7,
      max_tokens: 5,
    })
    expect(body('mistral', { prompt, seed: 7 })).not.toHaveProperty('seed')
  })

  it('a wire that knows JSON but no schema is told the schema in words', () => {
    const made = body('deepseek', { prompt, output: city })
    expect(made.response_format).toEqual({ type: 'json_object' })
    expect(JSON.stringify(made.messages)).toContain('additionalProperties')
  })

  it('OpenRouter gets the details of its thoughts back as it gave them', () => {
    const sealed = { type: 'reasoning.encrypted', data: 'gAAA', id: 'rs_1', format: 'openai-responses-v1', index: 0 }
    const made = assistant('openrouter', [
      {
        role: 'assistant',
        content: [
          {
            type: 'reasoning',
            text: 'Two and two.',
            signature: 'reasoning.text anthropic-claude-v1|reasoning.text anthropic-claude-v1|Sig==',
            provider: 'openrouter',
          },
          { type: 'raw', provider: 'openrouter', data: sealed },
          { type: 'text', text: 'Four.' },
        ],
      },
    ])
    expect(made.reasoning_details).toEqual([
      { type: 'reasoning.text', format: 'anthropic-claude-v1', signature: 'Sig==', text: 'Two and two.' },
      sealed,
    ])
  })
})
