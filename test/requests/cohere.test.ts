import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type ChatRequest, createRuntime, type Exchange } from '../../src/index.ts'

const runtime = createRuntime({ env: {} })
const fixture = (name: string): Exchange =>
  JSON.parse(readFileSync(new URL(`../fixtures/cohere-chat/${name}.json`, import.meta.url), 'utf8')) as Exchange

it("the plan before Cohere's calls is neither text nor reasoning, and goes back as the plan", () => {
  const { result } = runtime.replay(fixture('tool-call-streamed'), { provider: 'cohere' })
  expect([result.text, result.reasoning]).toEqual(['', ''])
  const { body, warnings } = runtime.explain({
    model: 'cohere/command-a',
    messages: [
      { role: 'user', content: 'x' },
      result.message,
      { role: 'tool', content: [{ type: 'tool_result', id: 'get_weather_1', content: 'rain' }] },
    ],
  } as ChatRequest)
  expect(warnings).toEqual([])
  expect(body).toMatchObject({
    messages: [
      { role: 'user' },
      {
        role: 'assistant',
        tool_plan: 'I will look it up.',
        tool_calls: [{ id: 'get_weather_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }],
      },
      { role: 'tool', tool_call_id: 'get_weather_1', content: [{ type: 'text', text: 'rain' }] },
    ],
  })
})

it('thinking goes back as thinking', () => {
  const { result } = runtime.replay(fixture('reasoning'), { provider: 'cohere' })
  const { body } = runtime.explain({ model: 'cohere/command-a', messages: [result.message] } as ChatRequest)
  expect(body).toMatchObject({
    messages: [
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Two times three.' },
          { type: 'text', text: 'Six' },
        ],
      },
    ],
  })
})
