import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as face from '../../src/index.ts'
import {
  type ChatRequest,
  type ChatResult,
  createRuntime,
  type EmbedResult,
  type ErrorKind,
  type Event,
  type FinishReason,
  type Message,
  ModelwireError,
  type Part,
  type RuntimeOptions,
  type Stream,
  type Timeouts,
  type Usage,
} from '../../src/index.ts'
import { failureOf } from '../tools/call.ts'
import { all, demo, failing, hello, protocols, runtime, streamed, whole } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'

/** Every name of the contract that this much of the runtime has, used as its users would; `tsc` checks the types. */
const answer = whole(
  JSON.stringify({ id: 'r1', model: 'm1-x', text: 'a', sum: { in: 3, out: 4 }, stop: 'done' }),
  'application/json',
  200,
  'x-request-id: q-9',
)

async function served(options: RuntimeOptions = {}, more = '') {
  const server = await serveBytes(
    (wire, request) =>
      void wire.write(
        String(request.body).includes('"stream":true')
          ? streamed(
              { id: 'r1', model: 'm1-x' },
              { text: 'a' },
              { text: 'b' },
              { sum: { in: 3, out: 4 } },
              { stop: 'done' },
              '[END]',
            )
          : request.path === '/embed'
            ? whole('{"vectors":[[1],[2]]}')
            : answer,
      ),
  )
  return {
    server,
    mw: runtime(demo(server.url, more), options),
    body: (at = -1) => JSON.parse(String(server.requests.at(at)?.body)) as Record<string, unknown>,
  }
}

describe('the library', () => {
  it('has these values', () => {
    expect(Object.keys(face)).toEqual(expect.arrayContaining(['ModelwireError', 'createRuntime']))
  })

  it('makes a runtime at once, even if there is nothing to read', () => {
    const started = performance.now()
    const mw = createRuntime()
    expect(performance.now() - started).toBeLessThan(100)
    expect(Object.keys(mw)).toEqual(
      expect.arrayContaining(['chat', 'stream', 'embed', 'model', 'explain', 'replay', 'listModels', 'close']),
    )
    createRuntime({ protocols: ['/nowhere/at/all'] })
  })

  it('takes these options', async () => {
    const timeouts: Required<Timeouts> = { connect: 1_000, firstByte: 1_000, firstEvent: 1_000, idle: 1_000, total: 5_000 }
    const { mw } = await served({
      strict: false,
      timeouts,
      retry: { attempts: 2, base: 1, max: 5 },
      limits: { event: 1_000_000, reply: 1_000_000, inflight: 4, queue: 10 },
      providers: {
        demo: {
          apiKey: 'k',
          headers: { 'x-team': 'blue' },
          timeouts: { idle: 2_000 },
          retry: { attempts: 1 },
          limits: { event: 500_000, inflight: 2 },
          some_variable: 'of the manifest',
        },
      },
    })
    expect((await mw.chat(hello)).text).toBe('a')
  })
})

describe('chat', () => {
  it('gives a result with all its fields', async () => {
    const { mw } = await served()
    const reply: ChatResult = await mw.chat(hello)
    expect(reply).toEqual({
      text: 'a',
      reasoning: '',
      toolCalls: [],
      message: { role: 'assistant', content: [{ type: 'text', text: 'a' }] },
      finishReason: 'stop',
      rawFinishReason: 'done',
      usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, raw: { in: 3, out: 4 } },
      id: 'r1',
      model: 'm1-x',
      provider: 'demo',
      requestId: 'q-9',
      warnings: [],
      timing: { totalMs: expect.any(Number) as number },
      choices: [
        {
          text: 'a',
          reasoning: '',
          toolCalls: [],
          message: { role: 'assistant', content: [{ type: 'text', text: 'a' }] },
          finishReason: 'stop',
          rawFinishReason: 'done',
        },
      ],
    })
    const reason: FinishReason = reply.finishReason
    const usage: Usage = reply.usage
    expect([
      reason,
      usage.cachedInputTokens,
      usage.cacheWriteTokens,
      usage.reasoningTokens,
      reply.cost,
      reply.object,
      reply.refusal,
    ]).toEqual(['stop', undefined, undefined, undefined, undefined, undefined, undefined])
    expect(JSON.parse(JSON.stringify(reply))).toMatchObject({ text: 'a' })
  })

  it('takes messages in all their forms, and a reply’s own message back', async () => {
    const { mw, body } = await served()
    const first = await mw.chat(hello)
    const messages: Message[] = [
      { role: 'system', content: 'one' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      first.message,
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'hm', signature: 's' },
          { type: 'tool_call', id: 'c1', name: 'f', arguments: { x: 1 } },
          { type: 'tool_call', id: 'c2', name: 'g', arguments: {} },
        ],
      },
      { role: 'tool', content: [{ type: 'tool_result', id: 'c1', name: 'f', content: 'fine' }] },
      {
        role: 'tool',
        content: [{ type: 'tool_result', id: 'c2', name: 'g', content: [{ type: 'text', text: 'bad' }], failed: true }],
      },
      { role: 'system', content: 'two' },
    ]
    await mw.chat({ model: 'demo/m1', messages, prompt: 'and now?', system: 'zero' })
    expect(body()).toMatchObject({
      system: 'zero one two',
      messages: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'assistant', parts: [{ text: 'a' }] },
        {
          role: 'assistant',
          parts: [
            { thought: 'hm', signature: 's' },
            { call: 'c1', name: 'f', args: { x: 1 } },
            { call: 'c2', name: 'g' },
          ],
        },
        {
          role: 'tool',
          parts: [
            { result: 'c1', of: 'f', parts: [{ text: 'fine' }] },
            { result: 'c2', of: 'g', bad: true, parts: [{ text: 'bad' }] },
          ],
        },
        { role: 'user', parts: [{ text: 'and now?' }] },
      ],
    })
  })

  it('never changes what it is given', async () => {
    const { mw } = await served()
    const parts: Part[] = [{ type: 'tool_result', id: 'c', content: 'x' }]
    const request: ChatRequest = {
      model: 'demo/m1',
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: [{ type: 'tool_call', id: 'c', name: 'f', arguments: {} }] },
        { role: 'tool', content: parts },
      ],
      tools: [{ name: 'f' }],
      extra: { a: { b: 1 } },
      metadata: { k: 'v' },
    }
    const before = structuredClone(request)
    await mw.chat(request)
    await mw.stream(request).result
    expect(request).toEqual(before)
  })

  it('checks an answer against `output`', async () => {
    const shape = { type: 'object', properties: { sky: { type: 'string' } }, required: ['sky'] }
    const say = async (text: string) => {
      const server = await serveBytes((wire, request) =>
        wire.end(
          String(request.body).includes('"stream":true')
            ? streamed({ text }, '[END]')
            : whole(JSON.stringify({ text, stop: 'done' })),
        ),
      )
      return runtime(demo(server.url))
    }
    const good = await say('{"sky":"blue"}')
    expect((await good.chat({ ...hello, output: shape })).object).toEqual({ sky: 'blue' })
    expect((await good.stream({ ...hello, output: shape }).result).object).toEqual({ sky: 'blue' })
    expect((await (await say('```json\n{"sky":"blue"}\n```')).chat({ ...hello, output: shape })).object).toEqual({ sky: 'blue' })
    for (const text of ['{"sky":5}', 'blue', '{"sky":']) {
      expect(await failureOf((await say(text)).chat({ ...hello, output: shape }))).toMatchObject({
        kind: 'output',
        provider: 'demo',
        partial: { text },
        retryable: false,
      })
    }
  })

  it('gives all choices when several were asked for', async () => {
    const server = await serveBytes((wire) =>
      wire.end(whole('[{"choice":0,"text":"a"},{"choice":1,"text":"b"},{"choice":0,"stop":"done"},{"choice":1,"stop":"cut"}]')),
    )
    const reply = await runtime(demo(server.url)).chat({ ...hello, n: 2 })
    expect(reply.text).toBe('a')
    expect(reply.choices.map(({ text, finishReason }) => [text, finishReason])).toEqual([
      ['a', 'stop'],
      ['b', 'length'],
    ])
  })
})

describe('stream', () => {
  it('gives events, then the result, which is their fold', async () => {
    const { mw } = await served()
    const stream: Stream = mw.stream(hello)
    const events: Event[] = await all(stream)
    expect(events.map((event) => event.type)).toEqual(['start', 'text', 'text', 'finish', 'usage'])
    const result = await stream.result
    expect(result).toMatchObject({
      text: 'ab',
      id: 'r1',
      model: 'm1-x',
      provider: 'demo',
      finishReason: 'stop',
      usage: { totalTokens: 7 },
    })
    expect(result.timing.firstEventMs).toBeGreaterThan(0)
    expect(result.timing.totalMs).toBeGreaterThanOrEqual(result.timing.firstEventMs ?? Infinity)
  })

  it('gives the text alone, or the events of each read', async () => {
    const { mw } = await served()
    let text = ''
    for await (const piece of mw.stream(hello).text) text += piece
    expect(text).toBe('ab')
    const batches: Event[][] = []
    for await (const batch of mw.stream(hello).batches()) batches.push(batch)
    expect(batches.flat().map((event) => event.type)).toEqual(['start', 'text', 'text', 'finish', 'usage'])
    for (const batch of batches) expect(batch.length).toBeGreaterThan(0)
  })

  it('calls back with the events of each read, and waits where it is asked to', async () => {
    const { mw } = await served()
    const seen: string[] = []
    const result = await mw.stream(hello).each((events) => void seen.push(...events.map((event) => event.type)))
    expect(seen).toEqual(['start', 'text', 'text', 'finish', 'usage'])
    expect(result.text).toBe('ab')
    let busy = 0
    const slow = mw.stream(hello).each(async () => {
      expect(busy++).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, 5))
      busy--
    })
    expect((await slow).text).toBe('ab')
  })

  it('begins with the warnings', async () => {
    const { mw } = await served()
    const events = await all(mw.stream({ ...hello, seed: 1 }))
    expect(events.slice(0, 2)).toMatchObject([
      { type: 'start' },
      { type: 'warning', field: 'seed', where: expect.stringContaining('demo.yaml:') as string },
    ])
  })
})

describe('embed', () => {
  it('gives a vector for each text', async () => {
    const { mw, body } = await served()
    const reply: EmbedResult = await mw.embed({ model: 'demo/e', input: ['a', 'b'], dimensions: 1 })
    expect(reply).toMatchObject({ embeddings: [[1], [2]], usage: {}, model: 'e', provider: 'demo', warnings: [] })
    expect(body()).toEqual({ model: 'e', texts: ['a', 'b'], size: 1 })
    await mw.embed({ model: 'demo/e', input: 'a' })
    expect(body().texts).toEqual(['a'])
    for (const input of [[], [5], 5, undefined])
      expect(await failureOf(mw.embed({ model: 'demo/e', input: input as never }))).toMatchObject({ kind: 'invalid_request' })
  })
})

describe('model', () => {
  it('binds the calls to one model, whose name may hold slashes', async () => {
    const { mw, body } = await served()
    const bound = mw.model('demo/org/m:free')
    expect((await bound.chat({ prompt: 'a' })).text).toBe('a')
    expect(body().model).toBe('org/m:free')
    expect((await bound.stream({ prompt: 'a' }).result).text).toBe('ab')
    expect((await bound.embed({ input: 'a' })).embeddings).toEqual([[1], [2]])
    expect(bound.explain({ prompt: 'a' }).body).toMatchObject({ model: 'org/m:free' })
  })
})

describe('explain', () => {
  it('says the exact call, each field with its line, and sends nothing', async () => {
    const { mw, server } = await served()
    const request: ChatRequest = { ...hello, system: 'be kind', temperature: 0.5, seed: 1, extra: { top: { deep: 1 } } }
    const said = mw.explain(request)
    expect(server.connections).toBe(0)
    expect(said).toMatchObject({
      method: 'POST',
      url: `${server.url}/chat`,
      headers: { authorization: 'Bearer $DEMO_KEY' },
      warnings: [{ field: 'seed' }],
    })
    expect(said.fields.find(({ field }) => field === 'heat')).toMatchObject({
      value: 0.5,
      where: expect.stringMatching(/demo\.yaml:\d+:\d+$/) as string,
    })
    expect(said.fields.find(({ field }) => field.startsWith('top'))).toMatchObject({ where: 'extra' })
    expect(said.curl).toContain('curl')
    await mw.stream(request).result
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual(said.body)
    expect(mw.explain({ model: 'demo/e', input: 'a' }).url).toBe(`${server.url}/embed`)
    expect(mw.explain(request, { stream: false }).body).toMatchObject({ stream: false })
  })

  it('needs no key', async () => {
    const { mw } = await served({ env: { DEMO_KEY: '' } })
    expect(mw.explain(hello).method).toBe('POST')
  })
})

describe('replay', () => {
  it('reads recorded bytes as a live call would', async () => {
    const { mw } = await served()
    const headers = { 'Content-Type': 'text/event-stream' }
    const bodyText = 'data: {"id":"r1","text":"a"}\n\ndata: [END]\n\n'
    const { events, result } = mw.replay({ response: { status: 200, headers, bodyText } }, { provider: 'demo', operation: 'chat' })
    expect(events.map((event) => event.type)).toEqual(['start', 'text', 'finish'])
    expect(result).toMatchObject({ id: 'r1', text: 'a' })
    expect(
      mw.replay({ response: { status: 200, headers, bodyBase64: Buffer.from(bodyText).toString('base64') } }, { provider: 'demo' })
        .events,
    ).toEqual(events)
    const thrown = async (status: number, text: string) =>
      failureOf(Promise.resolve().then(() => mw.replay({ response: { status, headers, bodyText: text } }, { provider: 'demo' })))
    expect(await thrown(429, '{"error":{"message":"slow"}}')).toMatchObject({ kind: 'rate_limited', message: 'slow', status: 429 })
    expect(await thrown(200, 'data: {"text":"half"}\n\n')).toMatchObject({ kind: 'truncated', partial: { text: 'half' } })
  })
})

describe('errors', () => {
  const kinds: Record<ErrorKind, true> = {
    invalid_request: true,
    authentication: true,
    permission_denied: true,
    not_found: true,
    request_too_large: true,
    context_length: true,
    rate_limited: true,
    quota_exhausted: true,
    content_filter: true,
    server_error: true,
    overloaded: true,
    timeout: true,
    conflict: true,
    cancelled: true,
    network: true,
    truncated: true,
    protocol: true,
    unsupported: true,
    manifest: true,
    output: true,
    configuration: true,
  }

  it('have these kinds, each with a code of its own', () => {
    const made = Object.keys(kinds).map((kind) => new ModelwireError(kind as ErrorKind, 'x'))
    expect(new Set(made.map(({ code }) => code)).size).toBe(made.length)
    for (const error of made) expect(error.code).toMatch(/^E[1-49]\d{3}$/)
    expect(made.every((error) => error instanceof Error && error.name === 'ModelwireError')).toBe(true)
  })

  it.each<[number, ErrorKind, boolean, boolean]>([
    [400, 'invalid_request', false, false],
    [401, 'authentication', false, true],
    [402, 'quota_exhausted', false, true],
    [403, 'permission_denied', false, true],
    [404, 'not_found', false, true],
    [408, 'timeout', true, true],
    [409, 'conflict', false, false],
    [413, 'request_too_large', false, false],
    [422, 'invalid_request', false, false],
    [429, 'rate_limited', true, true],
    [500, 'server_error', true, true],
    [503, 'overloaded', true, true],
    [504, 'timeout', true, true],
    [529, 'overloaded', true, true],
  ])('status %i is %s', async (status, kind, retryable, fallbackable) => {
    const server = await serveBytes((wire) =>
      wire.end(whole('{"error":{"message":"their words"}}', 'application/json', status, 'x-request-id: q-1', 'retry-after: 7')),
    )
    const error = await failureOf(runtime(demo(server.url), { retry: false }).chat(hello))
    expect(error).toMatchObject({
      kind,
      retryable,
      fallbackable,
      status,
      message: 'their words',
      provider: 'demo',
      model: 'm1',
      requestId: 'q-1',
      attempts: 1,
      retryAfterMs: 7_000,
    })
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ kind, code: error.code, message: 'their words', status })
  })

  it('say what to do: an operation, a provider, a wire or a key that isn’t there', async () => {
    const { mw } = await served()
    expect(await failureOf(mw.listModels({ provider: 'demo' }))).toMatchObject({
      kind: 'unsupported',
      provider: 'demo',
      hint: expect.stringContaining('chat') as string,
    })
    expect(await failureOf(mw.chat({ ...hello, model: 'demmo/m' }))).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('did you mean "demo"') as string,
    })
    expect(await failureOf(mw.chat({ ...hello, wire: 'nope' }))).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('nope') as string,
    })
    expect(await failureOf((await served({ env: { DEMO_KEY: '' } })).mw.chat(hello))).toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('DEMO_KEY') as string,
    })
  })
})

describe('what a request may set', () => {
  it('strict: a warning is an error, for the runtime or for one call', async () => {
    const { mw, server } = await served()
    expect((await mw.chat({ ...hello, seed: 1 })).warnings).toMatchObject([
      { field: 'seed', reason: expect.any(String) as string, where: expect.any(String) as string },
    ])
    expect(await failureOf(mw.chat({ ...hello, seed: 1, strict: true }))).toMatchObject({
      kind: 'invalid_request',
      message: expect.stringContaining('seed') as string,
    })
    const strict = await served({ strict: true })
    expect(await failureOf(strict.mw.chat({ ...hello, seed: 1 }))).toMatchObject({ kind: 'invalid_request' })
    expect((await strict.mw.chat({ ...hello, seed: 1, strict: false })).text).toBe('a')
    expect(server.requests).toHaveLength(1)
  })

  it('a field that is written wrong is a warning with the right one', async () => {
    const { mw } = await served()
    const { warnings } = await mw.chat({ ...hello, max_tokens: 5, temprature: 1 } as ChatRequest)
    expect(warnings).toMatchObject([
      { field: 'max_tokens', reason: expect.stringContaining('maxTokens') as string },
      { field: 'temprature', reason: expect.stringContaining('temperature') as string },
    ])
  })

  it('extra is merged into the body, on every operation', async () => {
    const { mw, body } = await served()
    await mw.chat({ ...hello, extra: { heat: null, own: [1] } })
    expect(body()).toMatchObject({ heat: null, own: [1], model: 'm1' })
    await mw.embed({ model: 'demo/e', input: 'a', extra: { own: true } })
    expect(body()).toMatchObject({ own: true, texts: ['a'] })
  })

  it('wire: another wire of the provider, for one call or for all', async () => {
    const other = 'wires:\n  plain:\n    extends: demo-plain\n'
    const server = await serveBytes((wire, request) => wire.end(request.path === '/plain' ? whole('"plain words"') : answer))
    const plain =
      'id: demo-plain\noperations:\n  chat:\n    post: /plain\n    body: { words: "$.messages[*].content[*].text | join" }\n    decode: json\n    events: { all: { emit: { type: text, delta: $ } } }\n'
    const manifests = [demo(server.url, other), plain]
    expect((await runtime(manifests).chat({ ...hello, wire: 'plain' })).text).toBe('plain words')
    expect((await runtime(manifests, { providers: { demo: { wire: 'plain' } } }).chat(hello)).text).toBe('plain words')
    expect((await runtime(manifests).chat(hello)).text).toBe('a')
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual({ words: 'hello' })
    expect(server.requests[0]?.headers.authorization).toContain('Bearer')
  })

  it('headers of this call only', async () => {
    const { mw, server } = await served({ providers: { demo: { headers: { 'x-team': 'blue', 'x-both': '1' } } } })
    await mw.chat({ ...hello, headers: { 'X-Trace': 't', 'x-both': '2' } })
    await mw.chat(hello)
    expect(server.requests[0]?.headers).toMatchObject({ 'x-team': 'blue', 'x-trace': 't', 'x-both': '2' })
    expect(server.requests[1]?.headers).toMatchObject({ 'x-team': 'blue', 'x-both': '1' })
    expect(server.requests[1]?.headers).not.toHaveProperty('x-trace')
  })
})

describe('the key', () => {
  const auth = (names: string) => (manifest: string) => manifest.replace('auth: { bearer: DEMO_KEY }', `auth: { bearer: ${names} }`)

  it('is the explicit one, then the manifest’s variables in their order, then <ID>_API_KEY', async () => {
    const { server } = await served()
    const sent = async (options: RuntimeOptions): Promise<string | undefined> => {
      await runtime(auth('[FIRST_KEY, SECOND_KEY]')(demo(server.url)), options).chat(hello)
      return server.requests.at(-1)?.headers.authorization
    }
    const env = { FIRST_KEY: 'one', SECOND_KEY: 'two', DEMO_API_KEY: 'three' }
    expect(await sent({ env, providers: { demo: { apiKey: 'explicit' } } })).toBe('Bearer explicit')
    expect(await sent({ env })).toBe('Bearer one')
    expect(await sent({ env: { ...env, FIRST_KEY: ' ' } })).toBe('Bearer two')
    expect(await sent({ env: { DEMO_API_KEY: 'three' } })).toBe('Bearer three')
    expect(await sent({ env, providers: { other: { apiKey: 'not mine' } } })).toBe('Bearer one')
  })

  it('goes where `auth` says: a header, the query, a user and password', async () => {
    const { server } = await served()
    const call = async (scheme: string, env: Record<string, string>) => {
      await runtime(demo(server.url).replace('auth: { bearer: DEMO_KEY }', `auth: ${scheme}`), { env }).chat(hello)
      return server.requests.at(-1)
    }
    expect((await call('{ header: { X-Key: A } }', { A: 'k' }))?.headers).toMatchObject({ 'x-key': 'k' })
    expect((await call('{ query: { key: A } }', { A: 'k&/ü'.replace('ü', '') }))?.path).toBe('/chat?key=k%26%2F')
    expect((await call('{ basic: { user: A, password: B } }', { A: 'u', B: 'p:w' }))?.headers.authorization).toBe(
      `Basic ${Buffer.from('u:p:w').toString('base64')}`,
    )
    expect((await call('none', {}))?.headers).not.toHaveProperty('authorization')
    expect((await call('{ bearer: A, optional: true }', {}))?.headers).not.toHaveProperty('authorization')
  })
})

describe('the environment', () => {
  it('MODELWIRE_PROTOCOLS names more folders, below those of the options', async () => {
    const { server } = await served()
    const folder = protocols(demo(server.url).replace('id: demo', 'id: far'), demo('http://127.0.0.1:1'))
    const mw = runtime(demo(server.url), { env: { MODELWIRE_PROTOCOLS: folder, FAR_API_KEY: 'k', DEMO_KEY: 'k' } })
    expect((await mw.chat({ ...hello, model: 'far/m' })).provider).toBe('far')
    expect((await mw.chat(hello)).text).toBe('a')
  })

  it('MODELWIRE_<PROVIDER>_BASE_URL replaces the address; the option stands above it', async () => {
    const { server } = await served()
    const lost = demo('http://127.0.0.1:1').replace('id: demo', 'id: my-demo')
    const env = { DEMO_KEY: 'k', MODELWIRE_MY_DEMO_BASE_URL: `${server.url}/proxied/` }
    await runtime(lost, { env }).chat({ ...hello, model: 'my-demo/m' })
    expect(server.requests.at(-1)?.path).toBe('/proxied/chat')
    await runtime(lost, { env, providers: { 'my-demo': { baseUrl: server.url } } }).chat({ ...hello, model: 'my-demo/m' })
    expect(server.requests.at(-1)?.path).toBe('/chat')
  })

  it('MODELWIRE_TIMEOUT_MS bounds a call; nonsense in it is told', async () => {
    const silent = await serveBytes(() => undefined)
    expect(await failureOf(runtime(demo(silent.url), { env: { MODELWIRE_TIMEOUT_MS: '80' } }).chat(hello))).toMatchObject({
      kind: 'timeout',
      phase: 'total',
    })
    expect(await failureOf(runtime(demo(silent.url), { env: { MODELWIRE_TIMEOUT_MS: 'soon' } }).chat(hello))).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('MODELWIRE_TIMEOUT_MS') as string,
    })
  })

  it('MODELWIRE_MAX_INFLIGHT bounds how many calls run at once', async () => {
    let now = 0
    let most = 0
    const server = await serveBytes(async (wire) => {
      most = Math.max(most, ++now)
      await wire.wait(20)
      now--
      wire.write(answer)
    })
    const mw = runtime(demo(server.url), { env: { MODELWIRE_MAX_INFLIGHT: '2' } })
    await Promise.all(Array.from({ length: 8 }, () => mw.chat(hello)))
    expect(most).toBe(2)
  })

  it('is read when it is needed: a key that comes later is found', async () => {
    const { server } = await served()
    const env: Record<string, string> = {}
    const mw = runtime(demo(server.url), {})
    const later = createRuntime({ protocols: protocols(demo(server.url)), env })
    expect(await failureOf(later.chat(hello))).toMatchObject({ kind: 'configuration' })
    env.DEMO_KEY = 'late'
    expect((await later.chat(hello)).text).toBe('a')
    await later.close()
    expect((await mw.chat(hello)).text).toBe('a')
  })
})

describe('close', () => {
  it('can be left to `await using`, and done twice', async () => {
    const { server } = await served()
    const folder = protocols(demo(server.url))
    {
      await using mw = createRuntime({ protocols: folder, env: { DEMO_KEY: 'k' } })
      expect((await mw.chat(hello)).text).toBe('a')
      await mw.close()
    }
    const closed = createRuntime({ protocols: folder, env: { DEMO_KEY: 'k' } })
    await closed.close()
    expect(await failureOf(closed.chat(hello))).toMatchObject({ kind: 'cancelled' })
    expect((await failing(closed.stream(hello))).error).toMatchObject({ kind: 'cancelled' })
  })
})

describe('a broken manifest', () => {
  it('fails alone: the others work', async () => {
    const { server } = await served()
    const folder = protocols(demo(server.url))
    writeFileSync(join(folder, 'broken.yaml'), 'id: broken\noperations: {{{\n')
    const mw = createRuntime({ protocols: folder, env: { DEMO_KEY: 'k' } })
    expect((await mw.chat(hello)).text).toBe('a')
    expect(await failureOf(mw.chat({ ...hello, model: 'broken/m' }))).toMatchObject({
      kind: 'manifest',
      where: expect.stringContaining('broken.yaml:') as string,
    })
    await mw.close()
  })
})
