import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ChatRequest, createRuntime, type Exchange, type Explanation, type Message } from '../../src/index.ts'

const runtime = createRuntime({ env: {} })
const fixture = (name: string): Exchange =>
  JSON.parse(readFileSync(new URL(`../fixtures/google-generate-content/${name}.json`, import.meta.url), 'utf8')) as Exchange
const explain = (request: Omit<ChatRequest, 'model'>, model = 'google/gemini-3-flash', stream = false): Explanation =>
  runtime.explain({ model, ...request } as ChatRequest, { stream })
const config = (request: Omit<ChatRequest, 'model'>, model?: string): unknown =>
  (explain(request, model).body as { generationConfig?: unknown }).generationConfig
const contents = (messages: Message[], model?: string): { role: string; parts: unknown[] }[] =>
  (explain({ messages }, model).body as { contents: { role: string; parts: unknown[] }[] }).contents

describe('the address of a Gemini model', () => {
  const base = 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash'
  it('says whether the reply is streamed', () => {
    expect(explain({ prompt: 'x' }).url).toBe(`${base}:generateContent`)
    expect(explain({ prompt: 'x' }, 'google/gemini-3-flash', true).url).toBe(`${base}:streamGenerateContent?alt=sse`)
  })

  it("keeps a model's name in its place", () => {
    expect(explain({ prompt: 'x' }, 'google/a:b/c').url).toContain('/models/a%3Ab%2Fc:generateContent')
  })
})

describe('what a turn of Gemini carries back', () => {
  it('each signature on the part that bore it', () => {
    const { message } = runtime.replay(fixture('parallel-tools-without-ids'), { provider: 'google' }).result
    const [, turn] = contents([{ role: 'user', content: 'x' }, message])
    expect(turn?.role).toBe('model')
    expect(turn?.parts).toMatchObject([
      { functionCall: { name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: 'c2ln' },
      { functionCall: { name: 'get_weather', args: { city: 'Bergen' } } },
      { functionCall: { id: 'fc-3', name: 'now', args: {} } },
    ])
    expect(turn?.parts[1]).not.toHaveProperty('thoughtSignature')
  })

  it('a signature on an empty text, on an image, and code that ran', () => {
    const replies = ['reasoning', 'image', 'code-execution'].map(
      (name) => runtime.replay(fixture(name), { provider: 'google' }).result.message,
    )
    const turns = replies.map((message) => contents([{ role: 'user', content: 'x' }, message])[1]?.parts)
    expect(turns[0]?.at(-1)).toEqual({ text: '', thoughtSignature: 'ZW5k' })
    expect(turns[1]).toEqual([
      { text: 'Here: ', thoughtSignature: 'dGV4dA==' },
      { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' }, thoughtSignature: 'aW1n' },
    ])
    expect(turns[2]).toEqual([
      { executableCode: { language: 'PYTHON', code: 'print(6*7)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '42\n' } },
      { text: '42.' },
    ])
  })

  it("Google's word for calls that another model made, where Gemini 3 wants a signature", () => {
    const call: Message = {
      role: 'assistant',
      content: [{ type: 'tool_call', id: 'c1', name: 'now', arguments: {}, signature: 's', provider: 'other' }],
    }
    const sent = { functionCall: { id: 'c1', name: 'now', args: {} } }
    expect(contents([call])[0]?.parts).toEqual([{ ...sent, thoughtSignature: 'skip_thought_signature_validator' }])
    expect(contents([call], 'google/gemini-2.5-flash')[0]?.parts).toEqual([sent])
  })

  it('files of a result inside it, and for older models behind it', () => {
    const result: Message = {
      role: 'tool',
      content: [
        {
          type: 'tool_result',
          id: 'c1',
          name: 'look',
          content: [{ type: 'image', data: new Uint8Array([1, 2, 3]), mediaType: 'image/png' }],
        },
      ],
    }
    const image = { inlineData: { mimeType: 'image/png', data: 'AQID' } }
    const response = { id: 'c1', name: 'look', response: { output: '' } }
    expect(contents([result])[0]).toEqual({ role: 'user', parts: [{ functionResponse: { ...response, parts: [image] } }] })
    expect(contents([result], 'google/gemini-2.5-flash')[0]?.parts).toEqual([{ functionResponse: response }, image])
  })
})

describe('thinking', () => {
  it.each([
    [{ effort: 'low' }, 'google/gemini-3-flash', { includeThoughts: true, thinkingLevel: 'low' }],
    [{ effort: 'low' }, 'google/gemini-2.5-flash', { includeThoughts: true, thinkingBudget: 1024 }],
    [{ effort: 'high', budgetTokens: 99 }, 'google/gemini-3-flash', { includeThoughts: true, thinkingBudget: 99 }],
    [{ effort: 'high', budgetTokens: 99 }, 'google/gemini-2.5-flash', { includeThoughts: true, thinkingBudget: 99 }],
    [{ effort: 'none' }, 'google/gemini-2.5-flash', { thinkingBudget: 0 }],
  ])('%j of %s', (reasoning, model, thinkingConfig) => {
    expect(config({ prompt: 'x', reasoning }, model)).toEqual({ thinkingConfig })
  })
})

describe('how a reply ends', () => {
  it.each([
    ['prompt-blocked', 'content_filter'],
    ['prompt-blocked-number', 'content_filter'],
    ['candidate-without-content', 'content_filter'],
    ['enums-as-numbers', 'length'],
    ['tool-call-streamed', 'tool_calls'],
    ['text-whole', 'stop'],
  ])('%s: %s', (name, reason) => {
    expect(runtime.replay(fixture(name), { provider: 'google' }).result.finishReason).toBe(reason)
  })

  it('every candidate has its own end', () => {
    expect(
      runtime
        .replay(fixture('two-candidates'), { provider: 'google' })
        .result.choices.map(({ text, finishReason }) => [text, finishReason]),
    ).toEqual([
      ['Heads.', 'stop'],
      ['Tails.', 'length'],
    ])
  })
})
