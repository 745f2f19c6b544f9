import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { serveNothing } from '../tools/blackhole.ts'
import { failureOf, idle } from '../tools/call.ts'
import { all, chunk, demo, failing, head, hello, last, runtime, sse, streamed, whole } from '../tools/demo.ts'
import { type Script, type Served, serveBytes, type Wire } from '../tools/server.ts'

/** A server, and a runtime that knows it. */
async function served(script: Script, options: Parameters<typeof runtime>[1] = {}, more = '') {
  const server = await serveBytes(script)
  return { server, mw: runtime(demo(server.url, more), options) }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Until the server has been asked, and had the time to answer. */
async function asked(server: Served): Promise<void> {
  while (server.requests.length === 0) await wait(5)
  await wait(80)
}

/** Begins a stream and leaves it open. */
function begin(wire: Wire, ...frames: unknown[]): void {
  wire.write(head())
  wire.write(chunk(sse(...frames)))
}

describe('ST4 an error after the status was sent', () => {
  it('in mid-stream is that error, with what had come, and no delta', async () => {
    const { mw, server } = await served((wire) => {
      wire.write(
        streamed(
          { id: 'r1', model: 'm1-x' },
          { text: 'half' },
          { error: { message: 'the house is full', code: 'busy' } },
          { text: ' an answer' },
        ),
      )
    })
    const { error, events } = await failing(mw.stream(hello))
    expect(error).toMatchObject({ kind: 'overloaded', message: 'the house is full', provider: 'demo', model: 'm1', attempts: 1 })
    expect(error.partial).toMatchObject({ id: 'r1', model: 'm1-x', text: 'half', finishReason: 'other' })
    expect(events.map((event) => event.type)).toEqual(['start', 'text'])
    expect(server.requests).toHaveLength(1)
  })

  it('alone in a 200 is that error, streamed or not, and can be retried', async () => {
    const { mw, server } = await served((wire) => wire.end(whole('{"error":{"message":"later","code":"busy"}}')))
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'overloaded', message: 'later', attempts: 3 })
    expect((await failing(mw.stream(hello))).error).toMatchObject({ kind: 'overloaded', attempts: 3 })
    expect(server.requests).toHaveLength(6)
  })

  it.each([
    [529, 'text/plain', 'Overloaded, come again', 'overloaded', 'Overloaded, come again'],
    [
      503,
      'text/html',
      '<html><head><style>b{}</style></head><body><h1>503</h1> Service Unavailable</body></html>',
      'overloaded',
      '503 Service Unavailable',
    ],
    [429, 'application/json', '{"error":{"message":"no money left","code":"no_money"}}', 'quota_exhausted', 'no money left'],
    [400, 'application/json', '{"error":{"message":"too long","code":"too_long"}}', 'context_length', 'too long'],
    [500, 'text/event-stream', 'data: {"error":{"message":"in an event"}}\n\n', 'server_error', 'in an event'],
    [502, 'application/json', '', 'server_error', 'the provider answered with HTTP 502'],
    [418, 'application/json', '{"error":"a teapot"}', 'invalid_request', 'a teapot'],
    [403, 'application/json', '{', 'permission_denied', '{'],
    [307, 'text/html', '', 'protocol', "unexpected_redirect: the provider answered with HTTP 307; redirects aren't followed"],
  ] as const)('a %i of %s says its own words', async (status, type, body, kind, message) => {
    const { mw } = await served((wire) => wire.end(whole(body, type, status, 'x-request-id: r-17')), { retry: false })
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind, message, status, requestId: 'r-17', attempts: 1 })
  })
})

describe('ST6 tool calls as they really come', () => {
  const call = (id: string, name: string, args: object): object => ({ id, name, arguments: args })
  it.each<[string, unknown[], unknown[]]>([
    [
      'in order',
      [
        { at: 0, id: 'a', name: 'f', args: '{"x":' },
        { at: 0, args: '1}' },
        { at: 1, id: 'b', name: 'g', args: '{}' },
      ],
      [call('a', 'f', { x: 1 }), call('b', 'g', {})],
    ],
    [
      'out of order',
      [
        { at: 1, id: 'b', name: 'g', args: '{"y":' },
        { at: 0, id: 'a', name: 'f', args: '{"x":' },
        { at: 1, args: '2}' },
        { at: 0, args: '1}' },
      ],
      [call('b', 'g', { y: 2 }), call('a', 'f', { x: 1 })],
    ],
    [
      'two with one index',
      [
        { at: 0, id: 'a', name: 'f', args: '{}' },
        { at: 0, id: 'b', name: 'g', args: '{}' },
      ],
      [call('a', 'f', {}), call('b', 'g', {})],
    ],
    ['an index that is huge', [{ at: 4294967294, id: 'a', name: 'f', args: '{}' }], [call('a', 'f', {})]],
    [
      'an index that is none',
      [
        { at: -1, id: 'a', name: 'f', args: '{"x":' },
        { at: -1, args: '1}' },
      ],
      [call('a', 'f', { x: 1 })],
    ],
    [
      'an id of the prototype',
      [{ at: 0, id: '__proto__', name: 'constructor', args: '{"__proto__":{"polluted":1}}' }],
      [call('__proto__', 'constructor', JSON.parse('{"__proto__":{"polluted":1}}'))],
    ],
    [
      'arguments cut inside an escape',
      [
        { at: 0, id: 'a', name: 'f', args: '{"x":"\\ud83d' },
        { at: 0, args: '\\ude00\\' },
        { at: 0, args: 'n"}' },
      ],
      [call('a', 'f', { x: '😀\n' })],
    ],
  ])('%s', async (_, pieces, expected) => {
    const { mw } = await served((wire) =>
      wire.end(streamed(...pieces.map((piece) => ({ calls: [piece] })), { stop: 'call' }, '[END]')),
    )
    const result = await mw.stream(hello).result
    expect(result.toolCalls).toMatchObject(expected)
    expect(result.finishReason).toBe('tool_calls')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
  })
})

describe('ST7 a consumer that leaves', () => {
  const endless: Script = async (wire) => {
    begin(wire, { text: 'a' })
    for (let n = 0; !wire.gone; n++) {
      wire.write(chunk(sse({ text: `${n} ` })))
      await wire.wait(5)
    }
  }

  it.each<[string, (stream: ReturnType<ReturnType<typeof runtime>['stream']>) => Promise<void>]>([
    [
      'break',
      async (stream) => {
        for await (const event of stream) if (event.type === 'text') break
      },
    ],
    [
      'a throw',
      async (stream) => {
        const own = new Error('mine')
        const thrown = await (async () => {
          for await (const event of stream) if (event.type === 'text') throw own
        })().catch((error: unknown) => error)
        expect(thrown).toBe(own)
      },
    ],
    [
      'return()',
      async (stream) => {
        const iterator = stream[Symbol.asyncIterator]()
        await iterator.next()
        expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
        expect(await iterator.next()).toEqual({ done: true, value: undefined })
      },
    ],
    [
      'a break of batches()',
      async (stream) => {
        for await (const batch of stream.batches()) if (batch.length > 0) break
      },
    ],
    [
      'an error in a call back',
      async (stream) => {
        const own = new Error('mine')
        const given = stream.each((events) => {
          if (events.some(({ type }) => type === 'text')) throw own
        })
        expect(await given.catch((error: unknown) => error)).toBe(own)
      },
    ],
    [
      'a call back that fails later',
      async (stream) => {
        const own = new Error('mine')
        expect(await stream.each(() => Promise.reject(own)).catch((error: unknown) => error)).toBe(own)
      },
    ],
    [
      'a break of text',
      async (stream) => {
        for await (const piece of stream.text) if (piece !== '') break
      },
    ],
  ])('by %s: the connection is closed at once', async (_, leave) => {
    const { mw, server } = await served(endless)
    const stream = mw.stream(hello)
    await leave(stream)
    const left = performance.now()
    expect((await server.closed) - left).toBeLessThan(500)
    await expect(stream.result).rejects.toMatchObject({
      kind: 'cancelled',
      partial: { text: expect.stringContaining('a') as string },
    })
  })

  it('before the first event came: the connection is closed as well', async () => {
    const { mw, server } = await served((wire) => void wire.write(head()))
    const stream = mw.stream(hello)
    const iterator = stream[Symbol.asyncIterator]()
    const pending = iterator.next()
    while (server.requests.length === 0) await wait(5)
    const left = performance.now()
    await iterator.return?.()
    expect((await server.closed) - left).toBeLessThan(500)
    expect(await pending).toEqual({ done: true, value: undefined })
    await expect(stream.result).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('who never iterates has sent nothing', async () => {
    const { mw, server } = await served(endless)
    mw.stream(hello)
    await wait(50)
    expect(server.connections).toBe(0)
  })

  it('a second iteration is an error, whichever way it is asked for', async () => {
    const { mw, server } = await served((wire) => wire.end(streamed({ text: 'a' }, '[END]')))
    const stream = mw.stream(hello)
    await all(stream)
    for (const again of [stream, stream.text, stream.batches()]) {
      await expect(async () => {
        for await (const _ of again) break
      }).rejects.toMatchObject({ kind: 'invalid_request' })
    }
    await expect(stream.each(() => undefined)).rejects.toMatchObject({ kind: 'invalid_request' })
    expect((await stream.result).text).toBe('a')
    expect(server.requests).toHaveLength(1)
  })

  it('the result drives the stream if nobody iterates, and can be asked for as often as one likes', async () => {
    const { mw, server } = await served((wire) => wire.end(streamed({ text: 'a' }, '[END]')))
    const stream = mw.stream(hello)
    expect(await stream.result).toBe(await stream.result)
    expect(server.requests).toHaveLength(1)
  })

  it('events and result can be had together', async () => {
    const { mw } = await served((wire) => wire.end(streamed({ text: 'a' }, { text: 'b' }, '[END]')))
    const stream = mw.stream(hello)
    const [events, result] = await Promise.all([all(stream), stream.result])
    expect(events.filter((event) => event.type === 'text')).toHaveLength(2)
    expect(result.text).toBe('ab')
  })

  it('a failed stream fails its result too, and nothing is left unhandled', async () => {
    const { mw } = await served((wire) => wire.end(streamed({ text: 'a' })))
    const stream = mw.stream(hello)
    const { error } = await failing(stream)
    expect(await failureOf(stream.result)).toBe(error)
    expect((await failing(stream)).error).toMatchObject({ kind: 'invalid_request' })
  })
})

describe('ST8 a slow consumer', () => {
  it('makes the server wait: no more than 8 MB stand in between', async () => {
    let written = 0
    const { mw } = await served(async (wire) => {
      wire.write(head())
      const piece = chunk(sse({ text: 'x'.repeat(60_000) }))
      while (!wire.gone && written < 256 * 1_048_576) {
        wire.write(piece)
        await wire.drained()
        written += piece.length
      }
    })
    const iterator = mw.stream(hello)[Symbol.asyncIterator]()
    for (let n = 0; n < 3; n++) {
      await iterator.next()
      await wait(200)
    }
    const before = written
    await wait(200)
    expect(written).toBe(before)
    expect(written).toBeLessThan(8 * 1_048_576)
    await iterator.return?.()
  })

  it('isn’t mistaken for a silent server', async () => {
    const { mw } = await served((wire) => wire.end(streamed({ text: 'a' }, { text: 'b' }, '[END]')), {
      timeouts: { idle: 50, firstByte: 50, firstEvent: 50 },
    })
    let text = ''
    for await (const piece of mw.stream(hello).text) {
      text += piece
      await wait(120)
    }
    expect(text).toBe('ab')
  })
})

describe('ST9 an abort', () => {
  const why = new Error('the user pressed escape')
  const silent: Script = () => undefined
  const headOnly: Script = (wire) => void wire.write(head())
  const begun: Script = (wire) => begin(wire, { text: 'half' })
  const broken: Script = (wire) => void wire.write(whole('{}', 'application/json', 500))

  it.each<[string, Script, string[]]>([
    ['before the first byte', silent, []],
    ['before the first event', headOnly, []],
    ['in mid-stream', begun, ['start', 'text']],
    ['during back-off', broken, []],
  ])('%s ends a stream at once, as `cancelled` with its reason', async (_, script, said) => {
    const { mw, server } = await served(script, { retry: { base: 20_000, attempts: 5 } })
    const caller = new AbortController()
    const failed = failing(mw.stream({ ...hello, signal: caller.signal }))
    await asked(server)
    const aborted = performance.now()
    caller.abort(why)
    const { error, events } = await failed
    expect(performance.now() - aborted).toBeLessThan(250)
    expect(error).toMatchObject({ kind: 'cancelled', cause: why, retryable: false })
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    expect(server.requests).toHaveLength(1)
    expect(events.map((event) => event.type)).toEqual(said)
    expect(error.partial?.text ?? '').toBe(said.length > 0 ? 'half' : '')
  })

  it.each<[string, Script]>([
    ['before the first byte', silent],
    ['before the first event', headOnly],
    ['in mid-stream', begun],
  ])('%s closes the connection', async (_, script) => {
    const { mw, server } = await served(script)
    const caller = new AbortController()
    const failed = failing(mw.stream({ ...hello, signal: caller.signal }))
    await asked(server)
    const aborted = performance.now()
    caller.abort(why)
    expect((await server.closed) - aborted).toBeLessThan(500)
    expect((await failed).error).toMatchObject({ kind: 'cancelled' })
  })

  it.each<[string, Script]>([
    ['before the first byte', silent],
    [
      'in the middle of the reply',
      (wire) => void wire.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"text":'),
    ],
    ['during back-off', broken],
  ])('%s ends chat() at once', async (_, script) => {
    const { mw, server } = await served(script, { retry: { base: 20_000 } })
    const caller = new AbortController()
    const call = failureOf(mw.chat({ ...hello, signal: caller.signal }))
    await asked(server)
    const aborted = performance.now()
    caller.abort(why)
    expect(await call).toMatchObject({ kind: 'cancelled', cause: why })
    expect(performance.now() - aborted).toBeLessThan(250)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('that came before the call sends nothing', async () => {
    const { mw, server } = await served(silent)
    const signal = AbortSignal.abort(why)
    expect(await failureOf(mw.chat({ ...hello, signal }))).toMatchObject({ kind: 'cancelled', cause: why })
    expect((await failing(mw.stream({ ...hello, signal }))).error).toMatchObject({ kind: 'cancelled', cause: why })
    expect(await failureOf(mw.embed({ model: 'demo/e', input: 'a', signal }))).toMatchObject({ kind: 'cancelled', cause: why })
    expect(server.connections).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it.skipIf(process.platform !== 'linux')('while connecting ends it at once', async () => {
    const mw = runtime(demo(`http://127.0.0.1:${await serveNothing()}`))
    const caller = new AbortController()
    const call = failureOf(mw.chat({ ...hello, signal: caller.signal }))
    await wait(80)
    const aborted = performance.now()
    caller.abort(why)
    expect(await call).toMatchObject({ kind: 'cancelled', cause: why })
    expect(performance.now() - aborted).toBeLessThan(250)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('while a rate limit is waited for ends it at once', async () => {
    const { mw, server } = await served((wire) => void wire.write(whole('{}', 'application/json', 429, 'retry-after: 30')), {
      retry: false,
    })
    await failureOf(mw.chat(hello))
    const caller = new AbortController()
    const call = failureOf(mw.chat({ ...hello, signal: caller.signal }))
    await wait(50)
    const aborted = performance.now()
    caller.abort(why)
    expect(await call).toMatchObject({ kind: 'cancelled', cause: why, attempts: 0 })
    expect(performance.now() - aborted).toBeLessThan(250)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    expect(server.requests).toHaveLength(1)
  })

  it('after the end changes nothing', async () => {
    const { mw } = await served((wire) => wire.end(streamed({ text: 'a' }, '[END]')))
    const caller = new AbortController()
    const stream = mw.stream({ ...hello, signal: caller.signal })
    const events = await all(stream)
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
    caller.abort(why)
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'stop' })
    expect((await stream.result).text).toBe('a')
  })

  it('a thousand calls with one signal leave no listener behind', async () => {
    const { mw } = await served((wire) => void wire.write(whole('{"text":"a","stop":"done"}')))
    const caller = new AbortController()
    for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 50 }, () => mw.chat({ ...hello, signal: caller.signal })))
    expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  })

  it('close() of the runtime ends what is under way', async () => {
    const { mw, server } = await served(begun)
    const iterator = mw.stream(hello)[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.next()
    const pending = iterator.next().catch((error: unknown) => error)
    await mw.close()
    expect(await pending).toMatchObject({ kind: 'cancelled' })
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'cancelled' })
    await server.closed
  })
})

describe('ST12 what comes after the end', () => {
  it('is ignored, and the connection is used again', async () => {
    const { mw, server } = await served(
      (wire) =>
        void wire.write(streamed({ text: 'a' }, { stop: 'done' }, '[END]', { text: 'late' }, { error: { message: 'late' } })),
    )
    for (let n = 0; n < 3; n++) {
      expect((await mw.stream(hello).result).text).toBe('a')
      await wait(10)
    }
    expect(server.connections).toBe(1)
  })

  it('is waited for a moment before the end is told, so that the next call needs no new connection', async () => {
    const { mw, server } = await served(async (wire) => {
      begin(wire, { text: 'a' }, { stop: 'done' }, '[END]')
      await wire.wait(15)
      wire.write('0\r\n\r\n')
    })
    const ways = [
      async () => void (await mw.stream(hello).result),
      async () => void (await all(mw.stream(hello))),
      async () => void (await mw.stream(hello).each(() => undefined)),
    ]
    for (const way of [...ways, ...ways]) {
      await way()
      await idle()
    }
    expect(server.requests).toHaveLength(6)
    expect(server.connections).toBe(1)
  })

  it('when nothing comes any more, the end is told after that moment, and the last event before it', async () => {
    const { mw } = await served((wire) => begin(wire, { text: 'a' }, { stop: 'done' }, '[END]'))
    const iterator = mw.stream(hello)[Symbol.asyncIterator]()
    let proved = 0
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) proved = performance.now()
    const waited = performance.now() - proved
    expect(waited).toBeGreaterThan(30)
    expect(waited).toBeLessThan(500)
  })

  it('is cut off when it never ends, and the result doesn’t wait for it', async () => {
    const { mw, server } = await served(async (wire) => {
      begin(wire, { text: 'a' }, '[END]')
      while (!wire.gone) {
        wire.write(chunk(sse({ text: 'more' })))
        await wire.wait(1)
      }
    })
    const started = performance.now()
    expect((await mw.stream(hello).result).text).toBe('a')
    expect(performance.now() - started).toBeLessThan(1_000)
    expect((await server.closed) - started).toBeLessThan(4_000)
  })

  it('a usage behind the finish still counts', async () => {
    const { mw } = await served((wire) => wire.end(streamed({ text: 'a' }, { stop: 'done' }, { sum: { in: 3, out: 4 } }, '[END]')))
    expect((await mw.stream(hello).result).usage).toMatchObject({ inputTokens: 3, outputTokens: 4, totalTokens: 7 })
  })
})

describe('what a stream says, in order', () => {
  it('start, content, finish, usage', async () => {
    const { mw } = await served(async (wire) => {
      wire.write(head())
      for (const byte of sse(
        { id: 'r', model: 'x' },
        { thought: 'hm' },
        { text: 'a' },
        { text: 'b' },
        { sum: { in: 1, out: 2 } },
        { stop: 'done' },
        '[END]',
      ))
        wire.write(chunk(byte))
      wire.end(last)
    })
    expect(await all(mw.stream(hello))).toEqual([
      { type: 'start', id: 'r', model: 'x' },
      { type: 'reasoning', delta: 'hm' },
      { type: 'text', delta: 'a' },
      { type: 'text', delta: 'b' },
      { type: 'finish', reason: 'stop', rawReason: 'done' },
      { type: 'usage', inputTokens: 1, outputTokens: 2, totalTokens: 3, raw: { in: 1, out: 2 } },
    ])
  })
})
