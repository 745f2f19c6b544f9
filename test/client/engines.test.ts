import type { ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRuntime, type Event, type Runtime, type RuntimeOptions } from '../../src/index.ts'
import { failureOf } from '../tools/call.ts'
import { protocols } from '../tools/demo.ts'
import { type Received, serve } from '../tools/server.ts'

function engine(provider: string, baseUrl: string, more: RuntimeOptions = {}): Runtime {
  const mw = createRuntime({ env: {}, providers: { [provider]: { baseUrl } }, retry: { base: 1, max: 5 }, ...more })
  onTestFinished(() => mw.close())
  return mw
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function all(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

const asked = ({ method, path, body }: Received): unknown[] => [
  method,
  path,
  body.length === 0 ? undefined : JSON.parse(body.toString()),
]

describe('an engine that streams', () => {
  it('pulls a model, and tells how far it is', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      for (const line of [
        { status: 'pulling manifest' },
        { status: 'pulling a', digest: 'a', total: 300 },
        { status: 'pulling a', digest: 'a', total: 300, completed: 150 },
        { status: 'pulling b', digest: 'b', total: 100, completed: 100 },
        { status: 'success' },
      ])
        response.write(`${JSON.stringify(line)}\n`)
      response.end()
    })
    const mw = engine('ollama', server.url)
    const stream = mw.pullModel('ollama/llama3.2')
    expect(server.requests).toHaveLength(0)
    const events = await all(stream)
    expect(events.flatMap((event) => (event.type === 'progress' ? [event.fraction] : []))).toEqual([
      undefined,
      0,
      0.5,
      0.625,
      undefined,
    ])
    expect(await stream.result).toMatchObject({ provider: 'ollama', model: 'llama3.2', status: 'success', warnings: [] })
    expect(server.requests.map(asked)).toEqual([['POST', '/api/pull', { model: 'llama3.2', stream: true }]])
  })

  it('that stops in the middle is an error, and so is one that says so', async () => {
    const cut = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"status":"pulling manifest"}\n'),
    )
    expect(await failureOf(engine('ollama', cut.url).pullModel('ollama/x').result)).toMatchObject({ kind: 'truncated' })
    const missing = await serve((_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/x-ndjson' })
        .end('{"error":"pull model manifest: file does not exist"}\n'),
    )
    const error = await failureOf(engine('ollama', missing.url).pullModel('ollama/x').result)
    expect(error).toMatchObject({ provider: 'ollama', model: 'x', message: expect.stringContaining('file does not exist') })
  })

  it('loads, unloads and removes', async () => {
    const server = await serve((request, response) =>
      request.method === 'DELETE' ? response.writeHead(200).end() : json(response, { model: 'm', done: true, done_reason: 'load' }),
    )
    const mw = engine('ollama', server.url)
    expect(await mw.loadModel('ollama/m')).toMatchObject({ provider: 'ollama', model: 'm', status: 'load' })
    await mw.unloadModel('ollama/m')
    expect((await mw.removeModel('ollama/m')).status).toBeUndefined()
    expect(server.requests.map(asked)).toEqual([
      ['POST', '/api/generate', { model: 'm', stream: false }],
      ['POST', '/api/generate', { model: 'm', keep_alive: 0, stream: false }],
      ['DELETE', '/api/delete', { model: 'm' }],
    ])
  })

  it('without such an operation says so', async () => {
    const mw = engine('vllm', 'http://127.0.0.1:9/v1')
    expect(await failureOf(mw.pullModel('vllm/m').result)).toMatchObject({ kind: 'unsupported', provider: 'vllm' })
    expect(await failureOf(mw.loadModel('vllm/m'))).toMatchObject({ kind: 'unsupported' })
  })
})

describe('an engine with jobs', () => {
  const uuid = '1059474d'

  it('is asked until the job is done, at the root beside its API, with its key', async () => {
    const answers = [
      { error: null, processed: false, message: 'queued' },
      { error: null, processed: false, message: 'processing', progress: 40 },
      { error: null, processed: true, message: 'completed', progress: 100 },
    ]
    const server = await serve(({ method }, response) =>
      json(response, method === 'POST' ? { uuid, status: 'elsewhere' } : answers.shift()),
    )
    const mw = engine('localai', `${server.url}/v1`, { providers: { localai: { baseUrl: `${server.url}/v1`, apiKey: 'k1' } } })
    const stream = mw.pullModel('localai/localai@phi-2')
    const events = await all(stream)
    expect(events.filter(({ type }) => type === 'progress')).toEqual([
      { type: 'progress', status: 'queued' },
      { type: 'progress', status: 'queued', total: 100, fraction: 0 },
      { type: 'progress', status: 'processing', completed: 40, total: 100, fraction: 0.4 },
      { type: 'progress', status: 'completed', completed: 100, total: 100, fraction: 1 },
    ])
    expect((await stream.result).status).toBe('completed')
    expect(server.requests.map(asked)).toEqual([
      ['POST', '/models/apply', { id: 'localai@phi-2' }],
      ...Array.from({ length: 3 }, () => ['GET', `/models/jobs/${uuid}`, undefined]),
    ])
    expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer k1']))
  }, 10_000)
})

/** A provider of the tests' own whose jobs are quick. */
const jobs = (url: string, get = '/jobs/{$.id}'): string =>
  protocols(`
id: maker
base: ${url}/api
auth: { bearer: MAKER_KEY, optional: true }
operations:
  pull:
    post: /make
    body: { model: $.model }
    follow: { get: "${get}", every: 5ms, until: { state: [done, failed] }, headers: { x-job: "$.id" } }
    events:
      failed: { when: { state: failed }, emit: { type: error, body: $ } }
      state: { emit: { type: progress, status: $.state, fraction: $.at } }
error: { message: $.reason }
`)

describe('following a job', () => {
  const maker = (url: string, get?: string, more: RuntimeOptions = {}): Runtime =>
    engine('maker', `${url}/api`, { protocols: jobs(url, get), providers: {}, ...more })

  it('ends with the first answer when that is all', async () => {
    const server = await serve((_, response) => json(response, { state: 'done' }))
    expect((await maker(server.url).pullModel('maker/m').result).status).toBe('done')
    expect(server.requests).toHaveLength(1)
  })

  it('sends the headers that it names, and asks again where one question fails', async () => {
    let count = 0
    const server = await serve(({ method }, response) => {
      if (method === 'POST') return json(response, { id: 'j1', state: 'new' })
      count += 1
      if (count === 1) return json(response, { reason: 'busy' }, 503)
      return json(response, { state: count < 4 ? 'working' : 'done', at: count / 4 })
    })
    expect((await maker(server.url).pullModel('maker/m').result).status).toBe('done')
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /api/make',
      ...Array.from({ length: 4 }, () => 'GET /api/jobs/j1'),
    ])
    expect(server.requests.at(-1)?.headers['x-job']).toBe('j1')
  })

  it('never begins the job a second time', async () => {
    const server = await serve(({ method }, response) =>
      method === 'POST' ? json(response, { id: 'j1' }) : json(response, { reason: 'gone' }, 500),
    )
    const error = await failureOf(maker(server.url).pullModel('maker/m').result)
    expect(error).toMatchObject({ kind: 'server_error', message: 'gone', status: 500, retryable: false })
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
    expect(server.requests.filter(({ method }) => method === 'GET')).toHaveLength(3)
  })

  it('that fails is told in its own words', async () => {
    const server = await serve(({ method }, response) =>
      json(response, method === 'POST' ? { id: 'j1', state: 'new' } : { state: 'failed', reason: 'no room' }),
    )
    expect(await failureOf(maker(server.url).pullModel('maker/m').result)).toMatchObject({ message: 'no room' })
  })

  it('ends with the caller, and with the clock', async () => {
    const server = await serve((_, response) => json(response, { id: 'j1', state: 'working' }))
    const leave = new AbortController()
    const mw = maker(server.url)
    const stream = mw.pullModel('maker/m', { signal: leave.signal })
    const left = failureOf(all(stream))
    setTimeout(() => leave.abort(new Error('enough')), 60)
    expect(await left).toMatchObject({ kind: 'cancelled' })
    expect(await failureOf(mw.pullModel('maker/m', { timeout: 80 }).result)).toMatchObject({ kind: 'timeout', phase: 'total' })
    await new Promise((resolve) => setTimeout(resolve, 60)) // what was under way still comes to the server
    const before = server.requests.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(server.requests).toHaveLength(before)
  })

  it('leaving the loop ends it', async () => {
    const server = await serve((_, response) => json(response, { id: 'j1', state: 'working' }))
    let seen = 0
    for await (const event of maker(server.url).pullModel('maker/m')) if (event.type === 'progress' && (seen += 1) === 3) break
    const before = server.requests.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(server.requests.length - before).toBeLessThan(2)
  })

  it('takes a whole address of the same host, and of no other', async () => {
    const server = await serve(({ method, body }, response) => {
      const other = body.toString().includes('evil') ? 'http://127.0.0.1:9/steal' : `${server.url}/else/j1`
      json(response, method === 'POST' ? { id: 'j1', url: other } : { state: 'done' })
    })
    const mw = maker(server.url, '$.url')
    expect((await mw.pullModel('maker/good').result).status).toBe('done')
    expect(server.requests.at(-1)?.path).toBe('/else/j1')
    expect(await failureOf(mw.pullModel('maker/evil').result)).toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining('another host'),
    })
  })

  it("that isn't JSON, or names no job, is a protocol error", async () => {
    const page = await serve(({ method }, response) =>
      method === 'POST'
        ? json(response, { id: 'j1' })
        : response.writeHead(200, { 'content-type': 'text/html' }).end('<p>hello</p>'),
    )
    expect(await failureOf(maker(page.url).pullModel('maker/m').result)).toMatchObject({ kind: 'protocol' })
    const nameless = await serve((_, response) => json(response, { state: 'new' }))
    expect(await failureOf(maker(nameless.url).pullModel('maker/m').result)).toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining('no job'),
    })
  })
})
