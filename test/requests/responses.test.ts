import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ChatRequest, createRuntime, type Explanation, type Message, type Part } from '../../src/index.ts'
import { hasOpenApi, openApi } from '../tools/openapi.ts'

const document = 'openai-openapi/openapi.yaml'
if (!hasOpenApi(document))
  console.log(`skipped: ../shared/suites/${document} is not here, so bodies aren't checked against OpenAI's schema`)
const schema = hasOpenApi(document) ? openApi(document) : undefined

const mw = createRuntime({ env: {} })
const explain = (request: Partial<ChatRequest>): Explanation => mw.explain({ model: 'openai/gpt-4.1', ...request } as ChatRequest)
const body = (request: Partial<ChatRequest>): Record<string, unknown> => explain(request).body as Record<string, unknown>
const fields = (request: Partial<ChatRequest>): string[] => explain(request).warnings.map(({ field }) => field)

const png = 'iVBORw0KGgo='
const pdf = 'JVBERi0xLjcK'
const weather = {
  name: 'weather',
  description: 'The weather in a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}
const user = (...content: Part[]): Message => ({ role: 'user', content })

/** Requests whose bodies must fit OpenAI's own schema, and must leave nothing out. */
const whole: Record<string, Partial<ChatRequest>> = {
  'plain text': { prompt: 'Hello' },
  'a system text': {
    system: 'Be brief.',
    messages: [{ role: 'system', content: 'Be kind.' }, user({ type: 'text', text: 'Hello' })],
  },
  'images by url and by data': {
    messages: [user({ type: 'image', url: 'https://example.org/a.png' }, { type: 'image', data: png })],
  },
  'files by url and by data': {
    messages: [
      user(
        { type: 'file', url: 'https://example.org/a.pdf' },
        { type: 'file', data: pdf },
        { type: 'file', data: pdf, name: 'a.pdf' },
      ),
    ],
  },
  tools: {
    prompt: 'Hello',
    tools: [weather, { name: 'now' }, { ...weather, strict: true }, { raw: { type: 'web_search' } }],
    toolChoice: 'auto',
    parallelToolCalls: false,
  },
  'no tool': { prompt: 'Hello', tools: [weather], toolChoice: 'none' },
  'any tool': { prompt: 'Hello', tools: [weather], toolChoice: 'required' },
  'one tool': { prompt: 'Hello', tools: [weather], toolChoice: { type: 'tool', name: 'weather' } },
  'an output schema': { prompt: 'Hello', output: { type: 'object', properties: { city: { type: 'string' } } } },
  sampling: { prompt: 'Hello', maxTokens: 100, temperature: 0.5, topP: 0.9, logprobs: 3 },
  reasoning: { prompt: 'Hello', reasoning: { effort: 'high' } },
  'user, metadata and cache': { prompt: 'Hello', user: 'u-1', metadata: { trace: 't-1' }, cache: { key: 'k-1' } },
  'a history of tool calls': {
    messages: [
      user({ type: 'text', text: 'Rome and Oslo?' }),
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Both.' },
          { type: 'tool_call', id: 'call_1', name: 'weather', arguments: { city: 'Rome' } },
          { type: 'tool_call', id: 'call_2', name: 'weather', arguments: { city: 'Oslo' } },
          { type: 'tool_call', id: 'call_3', name: 'run_sql', arguments: 'SELECT 1', kind: 'custom' },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool_result', id: 'call_1', content: 'sunny' },
          {
            type: 'tool_result',
            id: 'call_2',
            content: [
              { type: 'text', text: 'see' },
              { type: 'image', data: png },
            ],
            failed: true,
          },
          { type: 'tool_result', id: 'call_3', content: '' },
        ],
      },
    ],
  },
  'what the model asked of us beside calls': {
    messages: [
      user(
        {
          type: 'raw',
          provider: 'openai',
          data: {
            type: 'computer_call_output',
            call_id: 'call_1',
            output: { type: 'computer_screenshot', image_url: 'https://example.org/a.png' },
          },
        },
        { type: 'text', text: 'Go on.' },
      ),
    ],
  },
}

describe.skipIf(schema === undefined)('Responses bodies fit OpenAI’s own schema', () => {
  for (const [name, request] of Object.entries(whole)) {
    it(`takes ${name}`, () => {
      const { body: made, warnings } = explain(request)
      expect(schema?.check('CreateResponse', made)).toEqual([])
      expect(Object.keys(made as object).filter((key) => schema?.keys('CreateResponse').has(key) === false)).toEqual([])
      expect(warnings).toEqual([])
    })
  }
})

describe('a Responses request', () => {
  it('joins system texts to instructions', () => {
    expect(body(whole['a system text'] ?? {})).toMatchObject({
      instructions: 'Be brief.\n\nBe kind.',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hello' }] }],
    })
  })

  it('names every file that it sends as data', () => {
    expect(body(whole['files by url and by data'] ?? {})).toMatchObject({
      input: [
        {
          content: [
            { file_url: 'https://example.org/a.pdf' },
            { filename: 'file.pdf', file_data: `data:application/pdf;base64,${pdf}` },
            { filename: 'a.pdf' },
          ],
        },
      ],
    })
  })

  it('leaves schemas of tools as they are, unless they are strict', () => {
    expect(
      body({ prompt: 'Hello', tools: [weather, { ...weather, strict: true }, { raw: { type: 'web_search' } }] }).tools,
    ).toEqual([
      { type: 'function', ...weather, strict: false },
      { type: 'function', ...weather, strict: true },
      { type: 'web_search' },
    ])
  })

  it('splits a turn into items, and knows the result of a custom tool', () => {
    expect((body(whole['a history of tool calls'] ?? {}).input as unknown[]).slice(1)).toEqual([
      { type: 'message', role: 'assistant', content: 'Both.' },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call', call_id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'custom_tool_call', call_id: 'call_3', name: 'run_sql', input: 'SELECT 1' },
      { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
      {
        type: 'function_call_output',
        call_id: 'call_2',
        output: [
          { type: 'input_text', text: 'see' },
          { type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'auto' },
        ],
      },
      { type: 'custom_tool_call_output', call_id: 'call_3', output: '' },
    ])
  })

  it('asks for a summary and for encrypted reasoning when it asks for an effort', () => {
    expect(body({ prompt: 'Hello', reasoning: { effort: 'high' } })).toMatchObject({
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    })
    expect(body({ prompt: 'Hello', reasoning: { effort: 'none' } })).not.toHaveProperty('include')
    expect(body({ prompt: 'Hello' })).not.toHaveProperty('include')
    expect(body({ model: 'openai/gpt-5-mini', prompt: 'Hello' })).toMatchObject({ include: ['reasoning.encrypted_content'] })
  })

  it('tells what the wire has no place for', () => {
    expect(
      fields({
        prompt: 'Hello',
        n: 2,
        seed: 1,
        topK: 5,
        stop: 'x',
        frequencyPenalty: 1,
        presencePenalty: 1,
        reasoning: { budgetTokens: 1000 },
      }),
    ).toEqual(
      expect.arrayContaining(['n', 'seed', 'topK', 'stop', 'frequencyPenalty', 'presencePenalty', 'reasoning.budgetTokens']),
    )
    expect(fields({ messages: [user({ type: 'audio', data: 'SUQzAAAA' }, { type: 'text', text: 'Hello' })] })).toContain(
      'messages.audio',
    )
    expect(
      fields({
        messages: [
          user({ type: 'text', text: 'Hello' }),
          { role: 'assistant', content: [{ type: 'image', url: 'https://example.org/a.png' }] },
        ],
      }),
    ).not.toEqual([])
  })

  it('keeps sampling from models that refuse it', () => {
    expect(fields({ model: 'openai/gpt-5-mini', prompt: 'Hello', temperature: 0.5 })).toEqual(['temperature'])
    expect(fields({ model: 'openai/gpt-5.4-nano', prompt: 'Hello', temperature: 0.5 })).toEqual([])
  })

  it('leaves out reasoning of another provider', () => {
    const { body: made } = explain({
      messages: [
        user({ type: 'text', text: 'Hello' }),
        { role: 'assistant', content: [{ type: 'reasoning', text: 'hm', signature: 'xyz', provider: 'other' }] },
      ],
    })
    expect((made as { input: unknown[] }).input).toHaveLength(1)
  })
})

describe('a Responses turn goes back as it came', () => {
  const back = (fixture: string, ...results: Part[]): unknown[] => {
    const exchange = JSON.parse(readFileSync(new URL(`../fixtures/openai-responses/${fixture}.json`, import.meta.url), 'utf8'))
    const { message } = mw.replay(exchange, { provider: 'openai' }).result
    const { body: made, warnings } = explain({
      messages: [
        user({ type: 'text', text: 'Hello' }),
        message,
        ...(results.length === 0 ? [] : [{ role: 'tool' as const, content: results }]),
      ],
    })
    expect(warnings).toEqual([])
    expect(schema?.check('CreateResponse', made) ?? []).toEqual([])
    return (made as { input: unknown[] }).input.slice(1)
  }
  const said = (text: string): object => ({ type: 'output_text', text, annotations: [], logprobs: [] })

  it('reasoning with its id and encrypted content, the text behind it with its id and phase', () => {
    expect(back('reasoning-streamed')).toEqual([
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: '**Counting** letters.**Checking** again.' }],
        encrypted_content: 'gAAAAAbc',
      },
      { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', phase: 'final_answer', content: [said('Three.')] },
    ])
  })

  it('reasoning that was kept from us', () => {
    expect(back('reasoning-blank-whole')[0]).toEqual({ type: 'reasoning', id: 'rs_1', summary: [] })
  })

  it('calls with the ids of their items', () => {
    expect(
      back(
        'tool-calls-whole',
        { type: 'tool_result', id: 'call_1', content: 'sunny' },
        { type: 'tool_result', id: 'call_2', content: 'noon' },
      ),
    ).toEqual([
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Two cities.' }], encrypted_content: 'gAAAAAbc' },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'now', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
      { type: 'function_call_output', call_id: 'call_2', output: 'noon' },
    ])
  })

  it('items that the provider runs, whole and in their order', () => {
    expect(back('web-search-streamed')).toEqual([
      { id: 'ws_1', type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'news' } },
      { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [said('It rained.')] },
    ])
  })

  it('an image once, though it is a file for us too', () => {
    expect(back('image-generation-whole').map((item) => (item as { type: string }).type)).toEqual([
      'image_generation_call',
      'message',
    ])
  })
})

describe('a Responses error', () => {
  const kinds: Record<string, string> = {
    'error-401': 'authentication',
    'error-400-context': 'context_length',
    'error-429-quota': 'quota_exhausted',
    'error-in-the-middle': 'server_error',
    'error-nested-in-the-middle': 'quota_exhausted',
    'failed-streamed': 'rate_limited',
    'failed-whole': 'server_error',
    truncated: 'truncated',
  }
  for (const [fixture, kind] of Object.entries(kinds)) {
    it(`${fixture} is ${kind}`, () => {
      const exchange = JSON.parse(readFileSync(new URL(`../fixtures/openai-responses/${fixture}.json`, import.meta.url), 'utf8'))
      expect(() => mw.replay(exchange, { provider: 'openai' })).toThrow(expect.objectContaining({ kind }))
    })
  }
})
