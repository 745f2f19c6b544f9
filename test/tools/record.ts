/**
 * Records what a real llama-server answers, into test/fixtures/llama-server. Run it by hand: `node test/tools/record.ts`.
 * The model says what `scripts.ts` gives it; everything else in these files is the server's own.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { randomModel, scriptedModel } from './gguf.ts'
import { startLlamaServer } from './llama-server.ts'
import type { LlamaServer } from './llama-server.ts'
import { demoAnswer, scripts, weatherTool } from './scripts.ts'

interface Expected {
  toolCalls?: Record<string, unknown>[]
  [name: string]: unknown
}

interface Recording {
  id: string
  path: string
  api: string
  body: Record<string, unknown>
  /** What the script says; ids and counts, which are the server's own, are added from the payload. */
  expected: Expected
  headers?: Record<string, string>
}

const folder = join(import.meta.dirname, '../fixtures/llama-server')
const { name, description, parameters } = weatherTool
const chat = { api: 'openai.chat', path: '/v1/chat/completions' }
const responses = { api: 'openai.responses', path: '/v1/responses' }
const messages = { api: 'anthropic.messages', path: '/v1/messages' }
const user = (content: string): unknown[] => [{ role: 'user', content }]
const streamed = { stream: true, stream_options: { include_usage: true } }
const question = 'What is the weather in Paris?'
const about = 'What is Modelwire?'
const comparison = 'How do Oslo and Rome compare?'
const sum = 'Please think: what is two and two?'
const greeting = 'Hello'
const hello = scripts.at(-1)?.say
const paris = { name, arguments: { city: 'Paris', days: 2 } }
const oslo = { name, arguments: { city: 'Oslo', days: 1 } }
const rome = { name, arguments: { city: 'Rome', days: 3 } }
const coat = 'It is 17 °C in Paris, so take a light coat.'
const chatTools = { tools: [{ type: 'function', function: weatherTool }] }
const responsesTools = { tools: [{ type: 'function', ...weatherTool }] }
const messagesTools = { tools: [{ name, description, input_schema: parameters }] }
const tooLong = 'word '.repeat(300)

const recordings: Recording[] = [
  { id: 'chat', ...chat, body: { messages: user(greeting) }, expected: { text: hello, finishReason: 'stop' } },
  {
    id: 'chat-reasoning',
    ...chat,
    body: { messages: user(sum), ...streamed },
    expected: { text: 'The answer is four.', reasoning: 'Two and two make four.', finishReason: 'stop' },
  },
  {
    id: 'chat-tool-call',
    ...chat,
    body: { messages: user(question), ...chatTools, ...streamed },
    expected: { toolCalls: [paris], finishReason: 'tool_calls' },
  },
  {
    id: 'chat-tool-calls-two',
    ...chat,
    body: { messages: user(comparison), ...chatTools, ...streamed },
    expected: { toolCalls: [oslo, rome], finishReason: 'tool_calls' },
  },
  {
    id: 'chat-length',
    ...chat,
    body: { messages: user(greeting), max_tokens: 4, ...streamed },
    expected: { text: 'Hello! I am', finishReason: 'length' },
  },
  {
    id: 'chat-error-401',
    ...chat,
    body: { messages: user(greeting) },
    headers: { authorization: 'Bearer wrong' },
    expected: {},
  },
  {
    id: 'chat-error-400-context',
    ...chat,
    body: { messages: user(tooLong), ...streamed },
    expected: {},
  },
  { id: 'chat-error-400-messages', ...chat, body: { messages: 'Hello' }, expected: {} },
  { id: 'error-404', ...chat, path: '/v1/no-such-thing', body: {}, expected: {} },
  {
    id: 'embeddings-error-501',
    api: 'openai.embeddings',
    path: '/v1/embeddings',
    body: { input: greeting },
    expected: {},
  },
  {
    id: 'responses',
    ...responses,
    body: { input: greeting, stream: true },
    expected: { text: hello, outputTypes: ['message'], finishReason: 'completed' },
  },
  {
    id: 'responses-reasoning',
    ...responses,
    body: { input: sum, stream: true },
    expected: {
      text: 'The answer is four.',
      reasoning: 'Two and two make four.',
      outputTypes: ['reasoning', 'message'],
      finishReason: 'completed',
    },
  },
  {
    id: 'responses-tool-call',
    ...responses,
    body: { input: question, ...responsesTools, stream: true },
    expected: { toolCalls: [paris], outputTypes: ['function_call'], finishReason: 'completed' },
  },
  {
    id: 'messages',
    ...messages,
    body: { messages: user(greeting), max_tokens: 100, stream: true },
    expected: { text: hello, outputTypes: ['text'], finishReason: 'end_turn' },
  },
  {
    id: 'messages-reasoning',
    ...messages,
    body: { messages: user(sum), max_tokens: 100, stream: true },
    expected: {
      text: 'The answer is four.',
      reasoning: 'Two and two make four.',
      outputTypes: ['thinking', 'text'],
      finishReason: 'end_turn',
    },
  },
  {
    id: 'messages-tool-call',
    ...messages,
    body: { messages: user(question), ...messagesTools, max_tokens: 100, stream: true },
    expected: { toolCalls: [paris], outputTypes: ['tool_use'], finishReason: 'tool_use' },
  },
  {
    id: 'messages-after-tool',
    ...messages,
    body: {
      messages: [
        ...user(question),
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name, input: paris.arguments }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '{"celsius": 17}' }] },
      ],
      ...messagesTools,
      max_tokens: 100,
      stream: true,
    },
    expected: { text: coat, outputTypes: ['text'], finishReason: 'end_turn' },
  },
  // Last, when everything is warm and the pieces come as they are sent.
  { id: 'chat-demo', ...chat, body: { messages: user(about), ...streamed }, expected: { text: demoAnswer, finishReason: 'stop' } },
]

const embeddings: Recording = {
  id: 'embeddings',
  api: 'openai.embeddings',
  path: '/v1/embeddings',
  body: { input: ['a cat', 'a dog'] },
  expected: { embeddings: { count: 2, dimensions: 32, encoding: 'float' } },
}

async function record(server: LlamaServer, recording: Recording): Promise<void> {
  const { id, path, api, body, expected } = recording
  const method = 'POST'
  const headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json', ...recording.headers }
  const sent = { model: server.model, ...body }
  const start = performance.now()
  const reply = await fetch(server.url + path, { method, headers, body: JSON.stringify(sent) })
  const timings: [number, number][] = []
  const parts: Uint8Array[] = []
  let offset = 0
  for await (const part of reply.body ?? []) {
    timings.push([Math.round((performance.now() - start) * 100) / 100, offset])
    parts.push(part)
    offset += part.length
  }
  const streams = reply.headers.get('content-type')?.startsWith('text/event-stream') === true
  const kind = reply.status >= 400 ? 'error' : streams ? 'stream' : 'json'
  const left = new Set(['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive'])
  const bodyText = Buffer.concat(parts).toString('utf8')
  const exchange = {
    id: `llama-server--${id}`,
    source: `llama-server ${await version(server)}`,
    provenance: 'recorded',
    provider: 'llama-server',
    api,
    kind,
    framing: streams ? 'sse' : 'json',
    request: { method, url: `http://127.0.0.1:8080${path}`, headers: { ...headers, authorization: 'Bearer REDACTED' }, body: sent },
    response: {
      status: reply.status,
      headers: Object.fromEntries([...reply.headers].filter(([header]) => !left.has(header))),
      bodyText,
    },
    expected: kind === 'error' ? refusal(reply.status, bodyText) : { ...expected, ...said(api, expected, bodyText) },
    // [milliseconds since the request, offset in bytes] of each piece as it came from the socket
    timings,
  }
  await writeFile(join(folder, `${id}.json`), `${JSON.stringify(exchange, null, 2)}\n`)
  console.log(`${id}: ${reply.status} ${kind}, ${offset} bytes in ${parts.length} pieces`)
}

const callIds: Record<string, RegExp> = {
  'openai.chat': /"id":"(\w+)","type":"function"/g,
  'openai.responses': /"call_id":"(\w+)"/g,
  'anthropic.messages': /"type":"tool_use","id":"(\w+)"/g,
}
const counts: Record<string, RegExp> = {
  inputTokens: /"(?:prompt|input)_tokens":(\d+)/g,
  outputTokens: /"(?:completion|output)_tokens":(\d+)/g,
  totalTokens: /"total_tokens":(\d+)/g,
  cachedInputTokens: /"cached_tokens":(\d+)/g,
  cacheReadInputTokens: /"cache_read_input_tokens":(\d+)/g,
}

function said(api: string, expected: Expected, bodyText: string): Expected {
  const all = (pattern: RegExp | undefined): string[] =>
    pattern === undefined ? [] : [...new Set(Array.from(bodyText.matchAll(pattern), ([, value = '']) => value))]
  const ids = all(callIds[api])
  const usage = Object.entries(counts).flatMap(([count, pattern]) => {
    const last = all(pattern).at(-1)
    return last === undefined ? [] : [[count, Number(last)]]
  })
  const calls = expected.toolCalls?.map((call, index) => ({ id: ids[index] ?? null, ...call }))
  const [model] = all(/"model":"([^"]+)"/g)
  return { ...(calls && { toolCalls: calls }), usage: Object.fromEntries(usage), model }
}

function refusal(status: number, bodyText: string): Expected {
  const { error }: { error: { type: string; code: number; message: string } } = JSON.parse(bodyText)
  return { error: { status, type: error.type, code: error.code, message: error.message } }
}

/** Its build, such as `b11669-Debian`. */
async function version(server: LlamaServer): Promise<string> {
  const reply = await fetch(`${server.url}/props`, { headers: { authorization: `Bearer ${server.apiKey}` } })
  return /"build_info":"([^"]+)"/.exec(await reply.text())?.[1] ?? 'of an unknown build'
}

await mkdir(folder, { recursive: true })
{
  await using server = await startLlamaServer({ model: scriptedModel(scripts), alias: 'demo' })
  for (const recording of recordings) await record(server, recording)
}
{
  const model = randomModel(1, { width: 32 })
  await using server = await startLlamaServer({ model, alias: 'embed', args: ['--embeddings', '--pooling', 'mean'] })
  await record(server, embeddings)
}
