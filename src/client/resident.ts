import type { ChatRequest } from '../core/request.ts'
import { compileOperation } from '../manifest/compile.ts'
import { Window } from '../pipeline/bytes.ts'
import { Events } from '../pipeline/decode/sse.ts'
import type { ConnectionPool } from '../transport/pool.ts'
import type { Transport } from '../wire/call.ts'
import { createCalls } from './calls.ts'
import { createMeter } from './metrics.ts'
import { createOpen, type Open } from './opening.ts'
import { createPlan, type Plan } from './planning.ts'

/**
 * When V8 collects all garbage, as it does when a process idles, it forgets the hidden classes of objects of which none is left,
 * and throws away the code that it optimised for them: the next tens of thousands of events cost twice as much, until that is
 * made again. So one of each object that a call is made of stays. They come from two calls to nobody, and hold nobody's words.
 */
const residents: unknown[] = []
let due = false

/** Long enough after the first call to be in nobody's way, and before V8 takes the process for idle. */
const afterMs = 1_000

/** The same way to send calls; the first makes the residents, unless the process ends before. */
export function staying(open: Open): Open {
  return (planned, input) => {
    if (!due && planned.operation.transport === 'http') {
      due = true
      setTimeout(() => void rehearse().catch(noop), afterMs).unref() // that it works is for its test to see, not for a process that is at work
    }
    return open(planned, input)
  }
}

/** Makes a call of each kind, to nobody, and keeps all that it was made of. Gives how many objects that are. */
export async function rehearse(): Promise<number> {
  const options = { providers: { rehearsal: { apiKey: 'none' } } }
  const operation = compileOperation(manifest, 'chat')
  const planned = createPlan(options, {}, { operation: () => operation, operations: () => ['chat'] })
  const plan: Plan = (...asked) => stay(planned(...asked))
  const transport = await nobody()
  const send = createMeter().count(createOpen(options, {}, { http: transport, llama: transport, onnx: transport }))
  const open: Open = async (...asked) => stay(await send(...asked))
  const calls = createCalls(plan, open)
  stay(await calls.chat(request))
  const stream = stay(calls.stream(request))
  const events = stay(stream[Symbol.asyncIterator]())
  for (let next = await events.next(); next.done !== true; next = await events.next()) stay(next.value)
  stay(await stream.result)
  const bytes = Buffer.from(JSON.stringify(answer))
  stay([new Window(bytes), new Events(bytes, 0, bytes.length)])
  return residents.length
}

function stay<Made>(made: Made): Made {
  residents.push(made)
  return made
}

const request: ChatRequest = { model: 'rehearsal/none', messages: [{ role: 'user', content: 'Hello' }], maxTokens: 1 }

/** All that a reply can say most of the time. */
const answer = {
  id: '1',
  model: 'none',
  text: 'Hello',
  block: { index: 0, text: 'Hello' },
  call: { index: 0, id: '1', name: 'none', arguments: '{"none":0}' },
  finish: 'stop',
  counts: { input: 1, output: 1 },
}

const manifest = {
  id: 'rehearsal',
  base: 'http://localhost',
  auth: { bearer: ['NONE'] },
  operations: {
    chat: {
      post: '/',
      body: { model: '$.model', stream: '$.stream', messages: '$.messages', max: '$.maxTokens' },
      decode: { sse: { until: '[DONE]' } },
      complete: ['done'],
      events: {
        start: { emit: { type: 'start', id: '$.id', model: '$.model' } },
        text: { emit: { type: 'text', delta: '$.text' } },
        block: { emit: { type: 'text', index: '$.block.index', delta: '$.block.text' } },
        call: {
          emit: { type: 'tool', index: '$.call.index', id: '$.call.id', name: '$.call.name', arguments: '$.call.arguments' },
        },
        finish: { emit: { type: 'finish', raw: '$.finish' } },
        counts: { emit: { type: 'usage', raw: '$.counts' } },
      },
      finish: { stop: 'stop' },
      usage: { inputTokens: '$.input', outputTokens: '$.output' },
    },
  },
}

/** The way over HTTP, up to where a connection would take over. */
async function nobody(): Promise<Transport> {
  const { exchange } = await import('../transport/exchange.ts')
  const whole = [JSON.stringify(answer)]
  const pieces = piecesOf(answer)
  return async ({ method, headers, body }, signal) => {
    const streamed = headers.accept?.includes('event-stream') === true
    const pool = answering(streamed ? 'text/event-stream' : 'application/json', streamed ? pieces : whole)
    const target = { origin: 'http://localhost', host: 'localhost', path: '/' }
    const out = { target, method, headers, body: body as Uint8Array, maxBytes: Infinity } // a body over HTTP is bytes
    return exchange(out, pool, signal)
  }
}

/** The same as a stream, with events that differ in their words, so that their shape is learnt, cut in the midst of one. */
function piecesOf(whole: object): string[] {
  const texts = ['a', 'b', 'c', 'd', 'e', 'f']
  const blocks = texts.map((text) => ({ block: { index: 0, text } }))
  const frames = [whole, ...texts.map((text) => ({ text })), ...blocks, whole]
  const events = frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('')
  return [events.slice(0, 500), `${events.slice(500)}data: [DONE]\n\n`]
}

function answering(type: string, chunks: readonly string[]): ConnectionPool {
  return {
    send(_, listener) {
      queueMicrotask(() => {
        const body = listener.head(200, { 'content-type': type, 'transfer-encoding': 'chunked' })
        for (const chunk of chunks) body?.data(Buffer.from(chunk))
        listener.end()
      })
      return { pause: noop, resume: noop, abort: noop }
    },
    destroy: () => Promise.resolve(),
  }
}

const noop = (): void => undefined
