import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ChatRequest, createRuntime, type Exchange, type Explanation, type Message, type Part } from '../../src/index.ts'

/** Bodies for Anthropic's Messages API, as its documentation describes them. */
const mw = createRuntime({ env: {} })
const explain = (request: Partial<ChatRequest>): Explanation =>
  mw.explain({ model: 'anthropic/claude-sonnet-4-6', ...request } as ChatRequest)
const body = (request: Partial<ChatRequest>): Record<string, unknown> => explain(request).body as Record<string, unknown>
const fields = (request: Partial<ChatRequest>): string[] => explain(request).warnings.map(({ field }) => field)
const fixture = (name: string): Exchange =>
  JSON.parse(readFileSync(new URL(`../fixtures/anthropic-messages/${name}.json`, import.meta.url), 'utf8'))

const png = 'iVBORw0KGgo='
const pdf = 'JVBERi0xLjcK'
const weather = {
  name: 'weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}
const user = (...content: Part[]): Message => ({ role: 'user', content })
const hello = user({ type: 'text', text: 'Hello' })

describe('a Messages request', () => {
  it('goes to /messages with the version and the key', () => {
    expect(explain({ prompt: 'Hello' })).toMatchObject({
      method: 'POST',
      url: 'https://api.anthropic.com/v1/messages',
      headers: { 'anthropic-version': '2023-06-01', 'x-api-key': '$ANTHROPIC_API_KEY' },
      body: {
        model: 'claude-sonnet-4-6',
        max_tokens: 32_000,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
        stream: true,
      },
    })
  })

  it('lifts system texts', () => {
    expect(body({ system: 'Be brief.', messages: [{ role: 'system', content: 'Be kind.' }, hello] }).system).toEqual([
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.' },
    ])
  })

  it('sends images and documents by url and by data, and a text file as text', () => {
    const parts: Part[] = [
      { type: 'image', url: 'https://example.org/a.png' },
      { type: 'image', data: png },
      { type: 'file', url: 'https://example.org/a.pdf' },
      { type: 'file', data: pdf, name: 'a.pdf' },
      { type: 'file', data: Buffer.from('Grüß Gott'), mediaType: 'text/plain' },
    ]
    expect(body({ messages: [user(...parts)] }).messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
          { type: 'document', source: { type: 'url', url: 'https://example.org/a.pdf' } },
          { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: pdf } },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüß Gott' } },
        ],
      },
    ])
  })

  it('sends calls and their results, failed ones too', () => {
    const made = explain({
      messages: [
        hello,
        {
          role: 'assistant',
          content: [
            { type: 'text', text: '' },
            { type: 'tool_call', id: 'toolu_1', name: 'weather', arguments: { city: 'Rome' } },
            { type: 'tool_call', id: 'toolu_2', name: 'weather', arguments: '{"city' },
          ],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool_result',
              id: 'toolu_1',
              content: [
                { type: 'text', text: 'see' },
                { type: 'image', data: png },
              ],
            },
            { type: 'tool_result', id: 'toolu_2', content: 'not JSON', failed: true },
          ],
        },
        hello,
      ],
    })
    expect(made.warnings).toEqual([])
    expect((made.body as { messages: unknown[] }).messages.slice(1, 3)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } },
          { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { text: '{"city' } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'toolu_1',
            content: [
              { type: 'text', text: 'see' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
            ],
          },
          { type: 'tool_result', tool_use_id: 'toolu_2', is_error: true, content: [{ type: 'text', text: 'not JSON' }] },
        ],
      },
    ])
  })

  it('sends tools, its own and the provider’s', () => {
    expect(
      body({
        prompt: 'Hello',
        tools: [weather, { ...weather, strict: true }, { raw: { type: 'web_search_20250305', name: 'web_search' } }],
      }).tools,
    ).toEqual([
      { name: weather.name, description: weather.description, input_schema: weather.parameters },
      { name: weather.name, description: weather.description, input_schema: weather.parameters, strict: true },
      { type: 'web_search_20250305', name: 'web_search' },
    ])
  })

  it('says how tools may be chosen', () => {
    const choice = (request: Partial<ChatRequest>): unknown => body({ prompt: 'Hello', tools: [weather], ...request }).tool_choice
    expect(choice({})).toBeUndefined()
    expect(choice({ toolChoice: 'auto' })).toEqual({ type: 'auto' })
    expect(choice({ toolChoice: 'required', parallelToolCalls: false })).toEqual({ type: 'any', disable_parallel_tool_use: true })
    expect(choice({ toolChoice: { type: 'tool', name: 'weather' }, parallelToolCalls: true })).toEqual({
      type: 'tool',
      name: 'weather',
    })
    expect(choice({ toolChoice: 'none', parallelToolCalls: false })).toEqual({ type: 'none' })
    expect(choice({ parallelToolCalls: false })).toEqual({ type: 'auto', disable_parallel_tool_use: true })
  })

  it('sends the rest of the parameters', () => {
    const request: Partial<ChatRequest> = {
      prompt: 'Hello',
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stop: 'x',
      user: 'u-1',
      cache: { ttl: '1h' },
      output: { type: 'object', properties: {}, additionalProperties: false },
    }
    expect(fields(request)).toEqual([])
    expect(body(request)).toMatchObject({
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ['x'],
      metadata: { user_id: 'u-1' },
      cache_control: { type: 'ephemeral', ttl: '1h' },
      output_config: { format: { type: 'json_schema', schema: request.output } },
    })
    expect(body({ prompt: 'Hello', cache: true }).cache_control).toEqual({ type: 'ephemeral' })
  })

  it('tells what the wire has no place for', () => {
    expect(
      fields({
        prompt: 'Hello',
        n: 2,
        seed: 1,
        logprobs: true,
        frequencyPenalty: 1,
        presencePenalty: 1,
        metadata: { trace: 't-1' },
      }),
    ).toEqual(expect.arrayContaining(['n', 'seed', 'logprobs', 'frequencyPenalty', 'presencePenalty', 'metadata.trace']))
    expect(fields({ messages: [user({ type: 'audio', data: 'SUQzAAAA' }, { type: 'text', text: 'Hello' })] })).toContain(
      'messages.audio',
    )
  })
})

describe('thinking', () => {
  const asked = (model: string, request: Partial<ChatRequest>): Record<string, unknown> => {
    const { max_tokens, thinking, output_config } = body({ model: `anthropic/${model}`, prompt: 'Hello', ...request })
    return { max_tokens, thinking, output_config }
  }

  it('is an effort where the model decides', () => {
    expect(asked('claude-opus-4-8', { reasoning: { effort: 'xhigh' } })).toEqual({
      max_tokens: 32_000,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'xhigh' },
    })
    expect(asked('claude-opus-4-8', { reasoning: { effort: 'minimal' } })).toMatchObject({ output_config: { effort: 'low' } })
    expect(asked('claude-opus-4-8', { reasoning: { effort: 'none' } })).toEqual({
      max_tokens: 32_000,
      thinking: { type: 'disabled' },
    })
  })

  it('is a budget where it is asked for, within the limit that was set', () => {
    expect(asked('claude-sonnet-4-6', { reasoning: { budgetTokens: 2000 }, maxTokens: 5000 })).toEqual({
      max_tokens: 5000,
      thinking: { type: 'enabled', budget_tokens: 2000 },
    })
    expect(asked('claude-sonnet-4-6', { reasoning: { budgetTokens: 2000 } })).toMatchObject({ max_tokens: 34_000 })
  })

  it('is a budget by effort with older models, on top of the answer', () => {
    expect(asked('claude-haiku-4-5-20251001', { reasoning: { effort: 'low' }, maxTokens: 500 })).toEqual({
      max_tokens: 4500,
      thinking: { type: 'enabled', budget_tokens: 4000 },
    })
    expect(asked('claude-opus-4-1', { reasoning: { effort: 'high' } })).toEqual({
      max_tokens: 28_096,
      thinking: { type: 'enabled', budget_tokens: 24_000 },
    })
    expect(asked('claude-3-5-haiku-latest', {})).toEqual({ max_tokens: 4096 })
  })

  it('leaves no room for sampling with models that refuse it', () => {
    expect(fields({ model: 'anthropic/claude-opus-4-7', prompt: 'Hello', temperature: 0.5, topP: 1, topK: 1 })).toEqual([
      'temperature',
      'topP',
      'topK',
    ])
  })
})

describe('a Messages turn goes back as it came', () => {
  const back = (name: string): unknown => {
    const { message } = mw.replay(fixture(name), { provider: 'anthropic' }).result
    const { body: made, warnings } = explain({ messages: [hello, message, hello] })
    expect(warnings).toEqual([])
    return (made as { messages: { content: unknown }[] }).messages[1]?.content
  }

  it('thinking first, with its signature', () => {
    expect(back('thinking-streamed')).toEqual([
      { type: 'thinking', thinking: 'Let me count.', signature: 'RXF3' },
      { type: 'text', text: 'Three.' },
    ])
    expect(back('thinking-omitted-streamed')).toEqual([
      { type: 'thinking', thinking: '', signature: 'RXF3' },
      { type: 'text', text: 'Three.' },
    ])
    expect(back('thinking-redacted-streamed')).toEqual([
      { type: 'redacted_thinking', data: 'RW1w' },
      { type: 'text', text: 'Three.' },
    ])
  })

  it('the provider’s own tools and what they found', () => {
    for (const name of ['web-search-whole', 'web-search-streamed']) {
      expect(back(name)).toEqual([
        { type: 'text', text: 'I will search.' },
        { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'rain' } },
        expect.objectContaining({ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1' }),
        { type: 'text', text: 'It rained.' },
      ])
    }
    expect(mw.replay(fixture('web-search-streamed'), { provider: 'anthropic' }).result).toMatchObject({
      toolCalls: [],
      warnings: [],
    })
  })

  it('a compaction', () => {
    expect(back('compaction-streamed')).toEqual([
      { type: 'compaction', content: 'Earlier: greetings.' },
      { type: 'text', text: 'Hi again.' },
    ])
  })

  it('calls in their place', () => {
    expect(back('tool-calls-whole')).toEqual([
      { type: 'thinking', thinking: 'Two.', signature: 'c2ln' },
      { type: 'text', text: 'Both.' },
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } },
      { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
    ])
  })

  it('without reasoning that nobody signed', () => {
    const { body: made } = explain({
      messages: [hello, { role: 'assistant', content: [{ type: 'reasoning', text: 'hm' }] }, hello],
    })
    expect((made as { messages: unknown[] }).messages).toHaveLength(2)
  })
})

describe('a Messages error', () => {
  const kinds: Record<string, string> = {
    'error-401': 'authentication',
    'error-400-context': 'context_length',
    'error-429': 'rate_limited',
    'error-429-spend-limit': 'quota_exhausted',
    'error-529': 'overloaded',
    'error-in-the-middle': 'overloaded',
    truncated: 'truncated',
  }
  for (const [name, kind] of Object.entries(kinds)) {
    it(`${name} is ${kind}`, () => {
      expect(() => mw.replay(fixture(name), { provider: 'anthropic' })).toThrow(expect.objectContaining({ kind }))
    })
  }
})

describe('what a Messages answer rests on', () => {
  it('becomes sources, streamed or not', () => {
    const source = { url: 'https://example.org/a', title: 'A page', text: 'It rained.' }
    expect(mw.replay(fixture('web-search-streamed'), { provider: 'anthropic' }).result.sources).toEqual([source])
    expect(mw.replay(fixture('web-search-whole'), { provider: 'anthropic' }).result.sources).toEqual([source])
    expect(mw.replay(fixture('document-citation-whole'), { provider: 'anthropic' }).result.sources).toEqual([
      { title: 'a.pdf', text: 'The grass is green.' },
    ])
  })
})
