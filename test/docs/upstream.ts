import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * One server on loopback that answers for every provider that the docs' examples use, in that provider's own words:
 * `/<provider>/<path of the operation>`. It reads just enough of a request to give an answer that fits it.
 */
export async function startUpstream(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500, json).end(JSON.stringify({ error: { message: String(error) } }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  const close = (): Promise<void> => new Promise((resolve) => (server.close(() => resolve()), server.closeAllConnections()))
  return { url: `http://127.0.0.1:${port}`, close }
}

/** The providers that it speaks for. */
export const spokenFor = ['acme', 'anthropic', 'ollama', 'openai', 'parley']

const json = { 'content-type': 'application/json' }

/** What a request asks for, whoever's words it is in. */
interface Asked {
  model: string
  stream: boolean
  /** The first tool that is offered. */
  tool: string | undefined
  /** A tool's result is among the messages. */
  answered: boolean
  wantsJson: boolean
}

const person = '{"name":"Ada","age":36}'
const sky = 'The sky is blue because air scatters blue light more than red.'
const coat = 'Yes: it is 7 °C in Paris.'
const city = '{"city":"Paris"}'

const textFor = ({ answered, wantsJson }: Asked): string => (wantsJson ? person : answered ? coat : sky)
const calls = ({ tool, answered }: Asked): boolean => tool !== undefined && !answered

type Body = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- four wires' bodies, read loosely

type Said = { status?: number; type?: string; body: string }
type Wire = (body: Body) => Said

const wires: Record<string, Wire> = {
  '/anthropic/messages': anthropic,
  '/openai/responses': responses,
  '/acme/chat/completions': completions,
  '/ollama/api/chat': ollama,
  '/ollama/api/embed': (body) =>
    whole({ model: body.model, embeddings: body.input.map((_: string, index: number) => [0.1, 0.2, index]), prompt_eval_count: 8 }),
  '/parley/talk': parley,
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const piece of request) text += String(piece)
  const wire = wires[request.url ?? '']
  const {
    status = 200,
    type = 'application/json',
    body,
  } = wire === undefined ? { status: 404, body: `{"error":"no ${request.url}"}` } : wire(JSON.parse(text))
  response.writeHead(status, { 'content-type': type }).end(body)
}

function whole(body: unknown, status = 200): Said {
  return { status, body: JSON.stringify(body) }
}

function events(frames: Body[], last = ''): Said {
  const written = frames.map(
    (frame) => `${typeof frame.type === 'string' ? `event: ${frame.type}\n` : ''}data: ${JSON.stringify(frame)}\n\n`,
  )
  return { type: 'text/event-stream', body: written.join('') + last }
}

function lines(frames: Body[]): Said {
  return { type: 'application/x-ndjson', body: frames.map((frame) => `${JSON.stringify(frame)}\n`).join('') }
}

/** In pieces, as a stream gives it. */
const pieces = (text: string): string[] => text.match(/.{1,12}/gs) ?? []
const has = (value: unknown, word: string): boolean => JSON.stringify(value ?? null).includes(word)

// ---- the wires ---------------------------------------------------------------------------------------------------

function anthropic(body: Body): Said {
  if (body.model === 'no-such-model')
    return whole({ type: 'error', error: { type: 'not_found_error', message: 'model: no-such-model' } }, 404)
  const asked: Asked = {
    model: body.model,
    stream: body.stream,
    tool: body.tools?.[0]?.name,
    answered: has(body.messages, 'tool_result'),
    wantsJson: has(body.output_config ?? body.output_format, 'schema'),
  }
  const block = calls(asked)
    ? { type: 'tool_use', id: 'toolu_01', name: asked.tool, input: JSON.parse(city) }
    : { type: 'text', text: textFor(asked) }
  const reason = calls(asked) ? 'tool_use' : 'end_turn'
  const message = { id: 'msg_01', type: 'message', role: 'assistant', model: asked.model }
  if (asked.stream !== true)
    return whole({ ...message, content: [block], stop_reason: reason, usage: { input_tokens: 14, output_tokens: 17 } })
  const deltas =
    block.type === 'text'
      ? pieces(block.text ?? '').map((text) => ({ type: 'text_delta', text }))
      : pieces(city).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
  return events([
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 14, output_tokens: 1 } },
    },
    {
      type: 'content_block_start',
      index: 0,
      content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} },
    },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 17 } },
    { type: 'message_stop' },
  ])
}

function responses(body: Body): Said {
  const asked: Asked = {
    model: body.model,
    stream: body.stream,
    tool: body.tools?.[0]?.name,
    answered: has(body.input, 'function_call_output'),
    wantsJson: has(body.text, 'json_schema'),
  }
  const item = calls(asked)
    ? { id: 'fc_01', type: 'function_call', status: 'completed', call_id: 'call_01', name: asked.tool, arguments: city }
    : {
        id: 'msg_01',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: textFor(asked), annotations: [] }],
      }
  const made = {
    id: 'resp_01',
    object: 'response',
    status: 'completed',
    model: asked.model,
    output: [item],
    usage: { input_tokens: 14, output_tokens: 17, total_tokens: 31 },
  }
  if (asked.stream !== true) return whole(made)
  const opened = {
    type: 'response.output_item.added',
    output_index: 0,
    item: { ...item, status: 'in_progress', ...('arguments' in item ? { arguments: '' } : { content: [] }) },
  }
  const deltas = pieces('arguments' in item ? city : textFor(asked)).map((delta) => ({
    type: 'arguments' in item ? 'response.function_call_arguments.delta' : 'response.output_text.delta',
    output_index: 0,
    delta,
  }))
  return events([
    { type: 'response.created', response: { ...made, status: 'in_progress', output: [], usage: null } },
    opened,
    ...deltas,
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: made },
  ])
}

function completions(body: Body): Said {
  const asked: Asked = {
    model: body.model,
    stream: body.stream,
    tool: body.tools?.[0]?.function?.name,
    answered: has(body.messages, 'tool_call_id'),
    wantsJson: has(body.response_format, 'schema'),
  }
  const call = calls(asked)
    ? [{ index: 0, id: 'call_01', type: 'function', function: { name: asked.tool, arguments: city } }]
    : undefined
  const usage = { prompt_tokens: 14, completion_tokens: 17, total_tokens: 31 }
  const head = { id: 'chatcmpl-01', model: asked.model }
  const finish = call === undefined ? 'stop' : 'tool_calls'
  if (asked.stream !== true)
    return whole({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: call ? null : textFor(asked), tool_calls: call },
          finish_reason: finish,
        },
      ],
      usage,
    })
  const deltas = call === undefined ? pieces(textFor(asked)).map((content) => ({ content })) : [{ tool_calls: call }]
  const chunk = (delta: Body, reason: string | null = null): Body => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  return events(
    [chunk({ role: 'assistant' }), ...deltas.map((delta) => chunk(delta)), chunk({}, finish), { ...head, choices: [], usage }],
    'data: [DONE]\n\n',
  )
}

function ollama(body: Body): Said {
  const asked: Asked = {
    model: body.model,
    stream: body.stream,
    tool: body.tools?.[0]?.function?.name,
    answered: has(body.messages, '"tool"'),
    wantsJson: has(body.format, 'object'),
  }
  const end = { done: true, done_reason: 'stop', prompt_eval_count: 14, eval_count: 17 }
  const frame = (content: string): Body => ({ model: asked.model, message: { role: 'assistant', content }, done: false })
  if (asked.stream !== true) return whole({ ...frame(textFor(asked)), ...end })
  return lines([...pieces(textFor(asked)).map(frame), { ...frame(''), ...end }])
}

/** The invented API of the tutorial. */
function parley(body: Body): Said {
  if (body.voice === 'broke') return whole({ slug: 'no_credit', explain: 'Your purse is empty.' }, 402)
  const asked: Asked = {
    model: body.voice,
    stream: body.live,
    tool: body.abilities?.[0]?.name,
    answered: has(body.turns, 'outcome'),
    wantsJson: false,
  }
  const spent = { heard: 14, said: 17 }
  const why = calls(asked) ? 'use' : 'done'
  const head = { talk: 't-81', voice: asked.model }
  if (asked.stream !== true) {
    const said = calls(asked)
      ? { kind: 'use', call: 'c-1', name: asked.tool, inputs: JSON.parse(city) }
      : { kind: 'words', words: textFor(asked) }
    return whole({ ...head, say: [said], why, spent })
  }
  const middle = calls(asked)
    ? [{ ev: 'use', slot: 0, call: 'c-1', name: asked.tool }, ...pieces(city).map((piece) => ({ ev: 'inputs', slot: 0, piece }))]
    : pieces(textFor(asked)).map((words) => ({ ev: 'words', words }))
  return lines([{ ev: 'open', ...head }, ...middle, { ev: 'close', why, spent }])
}
