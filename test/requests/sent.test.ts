import { describe, expect, it } from 'vitest'
import { type ChatRequest, createRuntime, type Message, type Part } from '../../src/index.ts'
import { failureOf } from '../tools/call.ts'
import { serve } from '../tools/server.ts'

/** What goes over the network is written straight from the templates; `explain` makes the same by way of its values. */
const long = 'Say "yes" \\ or\tno: überall, 東京, 🎉, \u0000.\n'.repeat(20)
const weather = {
  name: 'weather',
  description: long,
  parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Rom', 'Köln'] } }, additionalProperties: false },
}
const tools = [weather, { name: 'now' }]
const call = (id: string, value: object | string): Part => ({ type: 'tool_call', id, name: 'weather', arguments: value }) as Part
const result = (id: string, content: string | Part[]): Part => ({ type: 'tool_result', id, name: 'weather', content }) as Part
const image: Part = { type: 'image', data: Buffer.from('PNG'), mediaType: 'image/png' }
const pdf: Part = { type: 'file', data: 'JVBERi0=', mediaType: 'application/pdf', name: 'a "b".pdf' }

const conversation: Message[] = [
  { role: 'system', content: `${long} 2` },
  { role: 'user', content: [{ type: 'text', text: 'Look: ' }, image, pdf, { type: 'text', text: long }] },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: '' },
      call('c1', { city: 'Köln', n: [1, null] }),
      call('c2', '{"cut'),
    ],
  },
  { role: 'tool', content: [result('c1', long), result('c2', [{ type: 'text', text: '\ud800 alone' }, image])] },
  { role: 'assistant', content: `${long} 3` },
  { role: 'user', content: 'and?' },
]
const requests: Record<string, Omit<ChatRequest, 'model'>> = {
  'a prompt': { prompt: 'Hello', system: long },
  'a long conversation with tools': {
    messages: conversation,
    tools,
    toolChoice: { type: 'tool', name: 'weather' },
    maxTokens: 100,
  },
  'every setting': {
    prompt: long,
    tools,
    toolChoice: 'required',
    parallelToolCalls: false,
    temperature: 0.5,
    topP: 1e-7,
    topK: 40,
    seed: -0,
    frequencyPenalty: 0.1,
    presencePenalty: -0.1,
    stop: ['\n', '"'],
    logprobs: 2,
    n: 1,
    user: long,
    metadata: { a: 'b', 'c"': long },
    reasoning: { effort: 'high', budget: 2048 },
    cache: { key: 'k' },
    output: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false },
  },
  'a field of the provider’s own': { prompt: long, extra: { own: { a: [1, null, long] } } },
} as Record<string, Omit<ChatRequest, 'model'>>

const providers = createRuntime({ env: {} })
  .providers()
  .filter(({ operations, transport }) => operations.includes('chat') && transport === undefined)

describe('what is sent', () => {
  it.each(providers.map(({ id }) => id))('to %s is what explain shows', async (id) => {
    const server = await serve((_, response) => void response.writeHead(400).end('{}'))
    const mw = createRuntime({ env: {}, retry: false, providers: { [id]: { baseUrl: server.url, apiKey: 'k' } } })
    for (const [name, request] of Object.entries(requests)) {
      const asked = { model: `${id}/m`, ...request }
      const shown = JSON.stringify(mw.explain(asked).body)
      for (const _ of [1, 2, 3]) {
        await failureOf(mw.stream(asked).result) // what comes again is written from memory
        expect([name, String(server.requests.at(-1)?.body)]).toEqual([name, shown])
      }
    }
    expect(server.requests).toHaveLength(Object.keys(requests).length * 3)
  })
})
