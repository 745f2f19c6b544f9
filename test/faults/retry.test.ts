import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { all, demo, failing, hello, runtime, streamed, whole } from '../tools/demo.ts'
import { type Script, serveBytes } from '../tools/server.ts'

const good = (streaming: boolean): Buffer => (streaming ? streamed({ text: 'a' }, '[END]') : whole('{"text":"a","stop":"done"}'))

/** A server that fails some times in a way of its own, then answers. */
async function failingServer(
  times: number,
  bytes: Buffer | ((wire: Parameters<Script>[0]) => void),
  options: Parameters<typeof runtime>[1] = {},
) {
  const server = await serveBytes((wire, request, count) => {
    if (count > times) return wire.end(good(String(request.body).includes('"stream":true')))
    if (typeof bytes === 'function') return bytes(wire)
    return wire.end(bytes)
  })
  return { server, mw: runtime(demo(server.url), options) }
}

const refusal = (status: number, ...headers: string[]): Buffer =>
  whole(`{"error":{"message":"no ${status}"}}`, 'application/json', status, ...headers)

describe('RS1 what is sent again before the first content', () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 529])('status %i: twice more, then the answer', async (status) => {
    const { mw, server } = await failingServer(2, refusal(status))
    expect((await mw.chat(hello)).text).toBe('a')
    expect(server.requests).toHaveLength(3)
    const streaming = await failingServer(2, refusal(status))
    expect((await streaming.mw.stream(hello).result).text).toBe('a')
    expect(streaming.server.requests).toHaveLength(3)
  })

  it.each([400, 401, 403, 404, 409, 413, 422, 301])('status %i: never', async (status) => {
    const { mw, server } = await failingServer(9, refusal(status))
    expect(await failureOf(mw.chat(hello))).toMatchObject({ status, retryable: false, attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })

  it.each<[string, (wire: Parameters<Script>[0]) => void]>([
    ['a reset', (wire) => wire.reset()],
    ['a close', (wire) => wire.end()],
    ['half a head', (wire) => wire.end('HTTP/1.1 2')],
    ['a stream that breaks before its first content', (wire) => wire.end(streamed({ id: 'r1', model: 'm1-x' }).subarray(0, -8))],
    ['a stream that ends before its first content', (wire) => wire.end(streamed({ id: 'r1' }))],
    ['an error before the first content', (wire) => wire.end(streamed({ id: 'r1' }, { error: { message: 'busy', code: 'busy' } }))],
  ])('%s: yes, and what the failed attempts said is never seen', async (_, script) => {
    const { mw, server } = await failingServer(2, script)
    const events = await all(mw.stream(hello))
    expect(events).toEqual([{ type: 'start' }, { type: 'text', delta: 'a' }, { type: 'finish', reason: 'stop' }])
    expect(server.requests).toHaveLength(3)
    expect(server.requests.map(({ body }) => String(body))).toEqual(
      Array.from({ length: 3 }, () => String(server.requests[0]?.body)),
    )
  })

  it('`x-should-retry` overrides, in both directions', async () => {
    const never = await failingServer(9, refusal(503, 'x-should-retry: false'))
    expect(await failureOf(never.mw.chat(hello))).toMatchObject({ attempts: 1, retryable: false })
    const always = await failingServer(1, refusal(409, 'x-should-retry: true'))
    expect((await always.mw.chat(hello)).text).toBe('a')
  })

  it('attempts, base and max can be set: for all, for a provider, for a request', async () => {
    const attempts = async (options: Parameters<typeof runtime>[1], retry?: { attempts: number } | false): Promise<number> => {
      const { mw, server } = await failingServer(99, refusal(500), options)
      const error = await failureOf(mw.chat({ ...hello, ...(retry === undefined ? {} : { retry }) }))
      expect(error.attempts).toBe(server.requests.length)
      return server.requests.length
    }
    const fast = { base: 1, max: 1 }
    expect(await attempts({ retry: { ...fast, attempts: 5 } })).toBe(5)
    expect(await attempts({ retry: false })).toBe(1)
    expect(await attempts({ retry: { ...fast, attempts: 5 }, providers: { demo: { retry: { ...fast, attempts: 2 } } } })).toBe(2)
    expect(await attempts({ retry: fast, providers: { demo: { retry: false } } })).toBe(1)
    expect(await attempts({ retry: { ...fast, attempts: 5 } }, { ...fast, attempts: 4 } as { attempts: number })).toBe(4)
    expect(await attempts({ retry: fast }, false)).toBe(1)
  })

  it('the key is read again for each attempt', async () => {
    const keys = ['first', 'second', 'third']
    const { mw, server } = await failingServer(2, refusal(500), { providers: { demo: { apiKey: () => keys.shift() ?? 'none' } } })
    await mw.chat(hello)
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second', 'Bearer third'])
  })

  it('embed() is retried as well', async () => {
    const server = await serveBytes((wire, _, count) => wire.end(count === 1 ? refusal(500) : whole('{"vectors":[[1,2],[3,4]]}')))
    expect((await runtime(demo(server.url)).embed({ model: 'demo/e', input: ['a', 'b'] })).embeddings).toEqual([
      [1, 2],
      [3, 4],
    ])
  })
})

describe('RS2 what fails after the first content', () => {
  it.each<[string, Buffer, string]>([
    ['ends', streamed({ text: 'half' }), 'truncated'],
    ['breaks', streamed({ text: 'half' }).subarray(0, -5), 'truncated'],
    ['fails', streamed({ text: 'half' }, { error: { message: 'busy', code: 'busy' } }), 'overloaded'],
    ['turns to garbage', streamed({ text: 'half' }, '{{{'), 'protocol'],
  ])('a stream that %s is never sent again: the error holds what had come', async (_, bytes, kind) => {
    const { mw, server } = await failingServer(9, bytes)
    const { error, events } = await failing(mw.stream(hello))
    expect(error).toMatchObject({ kind, partial: { text: 'half' }, attempts: 1, provider: 'demo', model: 'm1' })
    expect(events.map((event) => event.type)).toEqual(['start', 'text'])
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(server.requests).toHaveLength(1)
  })

  it('the error counts the attempts before it', async () => {
    const server = await serveBytes((wire, _, count) => wire.end(count === 1 ? refusal(500) : streamed({ text: 'half' })))
    const { error } = await failing(runtime(demo(server.url)).stream(hello))
    expect(error).toMatchObject({ kind: 'truncated', partial: { text: 'half' }, attempts: 2 })
    expect(server.requests).toHaveLength(2)
  })

  it('reasoning and a call are content too', async () => {
    for (const frame of [{ thought: 'hm' }, { calls: [{ at: 0, id: 'c', name: 'f' }] }]) {
      const { mw, server } = await failingServer(9, streamed(frame))
      expect((await failing(mw.stream(hello))).error).toMatchObject({ kind: 'truncated' })
      expect(server.requests).toHaveLength(1)
    }
  })
})

describe('RS3 how long the provider asks to wait', () => {
  it('Retry-After is waited for, and told when it is too long', async () => {
    const soon = await failingServer(1, refusal(429, 'retry-after-ms: 120'))
    const started = performance.now()
    expect((await soon.mw.chat(hello)).text).toBe('a')
    expect(performance.now() - started).toBeGreaterThanOrEqual(115)
    const late = await failingServer(9, refusal(429, 'retry-after: 61'))
    expect(await failureOf(late.mw.chat(hello))).toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 61_000,
      attempts: 1,
      status: 429,
    })
    expect(late.server.requests).toHaveLength(1)
  })

  it('a wait that the call’s own time doesn’t allow isn’t begun', async () => {
    const { mw } = await failingServer(9, refusal(503, 'retry-after: 5'))
    const started = performance.now()
    expect(await failureOf(mw.chat({ ...hello, timeout: 1_000 }))).toMatchObject({
      kind: 'overloaded',
      retryAfterMs: 5_000,
      attempts: 1,
    })
    expect(performance.now() - started).toBeLessThan(900)
  })

  it('a rate limit that one call hears of holds for all of that provider and model', async () => {
    const server = await serveBytes((wire, _, count) => wire.end(count === 1 ? refusal(429, 'retry-after-ms: 200') : good(false)))
    const mw = runtime(demo(server.url))
    const first = mw.chat(hello)
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 20))
    await Promise.all([first, mw.chat(hello), mw.chat(hello)])
    const [asked, ...later] = server.requests
    for (const request of later) expect(request.at - (asked?.at ?? 0)).toBeGreaterThanOrEqual(190)
  })
})

describe('RS10 a limit that is money', () => {
  it('isn’t retried', async () => {
    const { mw, server } = await failingServer(9, whole('{"error":{"message":"pay","code":"no_money"}}', 'application/json', 429))
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'quota_exhausted', retryable: false, attempts: 1 })
    expect(server.requests).toHaveLength(1)
  })
})

describe('many calls at once', () => {
  it('don’t mix: each gets its own answer', async () => {
    const server = await serveBytes(async (wire, request) => {
      const word = (JSON.parse(String(request.body)) as { messages: [{ parts: [{ text: string }] }] }).messages[0].parts[0].text
      await wire.wait(Number(word) % 7)
      wire.write(streamed(...[...word].map((text) => ({ text })), '[END]'))
    })
    const mw = runtime(demo(server.url))
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => mw.stream({ ...hello, prompt: String(n) }).result))
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 100 }, (_, n) => String(n)))
  })
})
