import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { canary, chunk, demo, failing, head, hello, printed, runtime, sse, streamed, whole } from '../tools/demo.ts'
import { type Script, serveBytes } from '../tools/server.ts'

async function served(
  script: Script,
  options: Parameters<typeof runtime>[1] = {},
  change: (manifest: string) => string = (manifest) => manifest,
) {
  const server = await serveBytes(script)
  return { server, mw: runtime(change(demo(server.url)), options) }
}

describe('TR1 a redirect', () => {
  it.each([301, 302, 307, 308])('%i is an error, and nobody hears of the key', async (status) => {
    const other = await serveBytes((wire) => wire.end(whole('{}')))
    const { mw } = await served((wire) => wire.end(whole('', 'text/plain', status, `location: ${other.url}`)))
    expect(await failureOf(mw.chat(hello))).toMatchObject({
      kind: 'protocol',
      status,
      retryable: false,
      attempts: 1,
      message: expect.stringContaining('unexpected_redirect') as string,
    })
    expect(other.connections).toBe(0)
  })
})

describe('TR2 nobody there', () => {
  it('is a network error that can be retried, without the key in it', async () => {
    const gone = await serveBytes(() => undefined)
    await gone.close()
    const error = await failureOf(runtime(demo(gone.url)).chat(hello))
    expect(error).toMatchObject({ kind: 'network', retryable: true, attempts: 3, provider: 'demo', model: 'm1' })
    expect(printed(error)).not.toContain('canary')
  })
})

describe('TR3 a server that accepts and never answers', () => {
  it.each(['stream', 'chat'] as const)('%s ends by the clock of the first byte, and is retried', async (how) => {
    const { mw, server } = await served(() => undefined, { timeouts: { firstByte: 60 }, retry: { attempts: 2, base: 1 } })
    const error = how === 'stream' ? (await failing(mw.stream(hello))).error : await failureOf(mw.chat(hello))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'firstByte', retryable: true, attempts: 2 })
    expect(server.requests).toHaveLength(2)
  })

  it('the request’s own clocks stand before the provider’s, and these before the runtime’s', async () => {
    const { mw } = await served(() => undefined, {
      timeouts: { firstByte: 20_000 },
      providers: { demo: { timeouts: { firstByte: 20_000, idle: 1 } } },
      retry: false,
    })
    expect(await failureOf(mw.chat({ ...hello, timeouts: { firstByte: 40 } }))).toMatchObject({ phase: 'firstByte' })
    const own = await served(() => undefined, {
      timeouts: { firstByte: 20_000 },
      providers: { demo: { timeouts: { firstByte: 40 } } },
      retry: false,
    })
    expect(await failureOf(own.mw.chat(hello))).toMatchObject({ phase: 'firstByte' })
  })
})

describe('TR4 a server that stops', () => {
  it('behind the head: the clock of the first event', async () => {
    const { mw, server } = await served((wire) => void wire.write(head()), {
      timeouts: { firstEvent: 60 },
      retry: { attempts: 2, base: 1 },
    })
    expect((await failing(mw.stream(hello))).error).toMatchObject({ kind: 'timeout', phase: 'firstEvent', attempts: 2 })
    expect(server.requests).toHaveLength(2)
  })

  it('behind the first words: the clock of idleness, with what had come, and no second try', async () => {
    const { mw, server } = await served(
      (wire) => {
        wire.write(head())
        wire.write(chunk(sse({ text: 'half' })))
      },
      { timeouts: { idle: 60 } },
    )
    const { error } = await failing(mw.stream(hello))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'idle', partial: { text: 'half' }, attempts: 1 })
    expect(server.requests).toHaveLength(1)
    await server.closed
  })

  it('in the middle of a whole reply: the same', async () => {
    const { mw } = await served(
      (wire) => void wire.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"te'),
      { timeouts: { idle: 60 }, retry: false },
    )
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'timeout', phase: 'idle' })
  })

  it.each<[string, string]>([
    ['bytes', ' '],
    ['comments', ': ping\n\n'],
    ['events without content', 'data: {"sum":null}\n\n'],
  ])('that drips %s for ever is ended by the first event, or by the total', async (_, drip) => {
    const dripping: Script = async (wire) => {
      wire.write(head())
      while (!wire.gone) {
        wire.write(chunk(drip))
        await wire.wait(10)
      }
    }
    const first = await served(dripping, { timeouts: { firstEvent: 100 }, retry: false })
    expect((await failing(first.mw.stream(hello))).error).toMatchObject({ kind: 'timeout', phase: 'firstEvent' })
    const total = await served(dripping, { timeouts: { total: 100 }, retry: false })
    expect((await failing(total.mw.stream(hello))).error).toMatchObject({ kind: 'timeout', phase: 'total' })
  })

  it('that drips words for ever is ended by the total, and `timeout` bounds all attempts together', async () => {
    const { mw } = await served(async (wire) => {
      wire.write(head())
      while (!wire.gone) {
        wire.write(chunk(sse({ text: 'x' })))
        await wire.wait(10)
      }
    })
    const { error, events } = await failing(mw.stream({ ...hello, timeout: 150 }))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'total', retryable: false })
    expect(error.partial?.text).toBe('x'.repeat(events.filter((event) => event.type === 'text').length))

    const broken = await served((wire) => wire.end(whole('{}', 'application/json', 500)), {
      retry: { attempts: 1_000, base: 20, max: 20 },
    })
    const started = performance.now()
    expect(await failureOf(broken.mw.chat({ ...hello, timeout: 150 }))).toMatchObject({
      kind: expect.stringMatching(/server_error|timeout/) as string,
    })
    expect(performance.now() - started).toBeLessThan(600)
  })
})

describe('TR5 a reply that is too large', () => {
  it('a bomb of 300 MB ends at the cap, and the memory with it', async () => {
    const bomb = gzipSync(Buffer.concat([Buffer.from('{"text":"'), Buffer.alloc(300 * 1_048_576, 0x20)]), { level: 9 })
    const { mw } = await served((wire) => wire.end(whole(bomb, 'application/json', 200, 'content-encoding: gzip')), {
      retry: false,
    })
    const before = process.memoryUsage().rss
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'protocol', message: expect.stringContaining('large') as string })
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1_048_576)
  })

  it('the caps can be set: for a reply, and for an event', async () => {
    const long = await served(
      (wire, request) =>
        wire.end(
          String(request.body).includes('"stream":true')
            ? streamed({ text: 'x'.repeat(5_000) }, '[END]')
            : whole(`{"text":"${'x'.repeat(5_000)}"}`),
        ),
      { limits: { reply: 4_096, event: 4_096 }, retry: false },
    )
    expect(await failureOf(long.mw.chat(hello))).toMatchObject({ kind: 'protocol' })
    expect((await failing(long.mw.stream(hello))).error).toMatchObject({
      kind: 'protocol',
      hint: expect.stringContaining('limits') as string,
    })
    const own = await served((wire) => wire.end(whole(`{"text":"${'x'.repeat(5_000)}"}`)), {
      limits: { reply: 4_096 },
      providers: { demo: { limits: { reply: 8_192 } } },
    })
    expect((await own.mw.chat(hello)).text).toHaveLength(5_000)
  })

  it('an error with a body without end is cut, and still that error', async () => {
    const { mw } = await served(async (wire) => {
      wire.write('HTTP/1.1 400 Bad\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n')
      while (!wire.gone) {
        wire.write(chunk('so wrong '.repeat(1_000)))
        await wire.drained()
        await wire.wait(0)
      }
    })
    const error = await failureOf(mw.chat(hello))
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400 })
    expect(error.message.length).toBeLessThan(400)
  })
})

describe('TR6 a reply that is cut', () => {
  const text = sse({ text: 'half' }, { stop: 'done' }, '[END]')
  const json = '{"text":"whole","stop":"done"}'
  const half = sse({ text: 'half' })
  const zipped = gzipSync(json)
  const plain = 'HTTP/1.1 200 OK\r\ncontent-type: '

  it.each<[string, string | Buffer]>([
    ['chunked without its last chunk', Buffer.concat([Buffer.from(head()), chunk(half)])],
    ['chunked in the middle of a chunk', `${head()}ff\r\n${half}`],
    ['shorter than its length', `${plain}text/event-stream\r\ncontent-length: 999\r\n\r\n${half}`],
    ['without a length, before its proof', `${plain}text/event-stream\r\n\r\n${half}`],
    ['chunked and complete, but without its proof', streamed({ text: 'half' })],
  ])('a stream %s is truncated, with what had come', async (_, bytes) => {
    const { mw, server } = await served((wire) => wire.end(bytes))
    const { error, events } = await failing(mw.stream(hello))
    expect(error).toMatchObject({ kind: 'truncated', partial: { text: 'half' }, attempts: 1 })
    expect(events.map((event) => event.type)).toEqual(['start', 'text'])
    expect(server.requests).toHaveLength(1)
  })

  it.each<[string, string | Buffer]>([
    ['chunked without its last chunk', Buffer.concat([Buffer.from(head('application/json')), chunk(json)])],
    ['shorter than its length', `${plain}application/json\r\ncontent-length: 999\r\n\r\n${json}`],
    ['without a length, in the middle', `${plain}application/json\r\n\r\n${json.slice(0, 12)}`],
    ['whole, but its JSON is not', whole(json.slice(0, 12))],
    ['whole, but its gzip is not', whole(zipped.subarray(0, zipped.length - 9), 'application/json', 200, 'content-encoding: gzip')],
  ])('a whole reply %s is truncated, and asked for again', async (_, bytes) => {
    const { mw, server } = await served((wire) => wire.end(bytes))
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'truncated', attempts: 3 })
    expect(server.requests).toHaveLength(3)
    const better = await served((wire, _request, count) => wire.end(count === 1 ? bytes : whole(json)))
    expect((await better.mw.chat(hello)).text).toBe('whole')
  })

  it('a stream whose only proof is its end isn’t proved by a connection that just closes', async () => {
    const onlyEnd = (manifest: string): string => manifest.replace('complete: [done, finish]', 'complete: [end]')
    const closed = await served((wire) => wire.end(`${plain}text/event-stream\r\n\r\n${half}`), {}, onlyEnd)
    expect((await failing(closed.mw.stream(hello))).error).toMatchObject({ kind: 'truncated', partial: { text: 'half' } })
    const ended = await served((wire) => wire.end(streamed({ text: 'half' })), {}, onlyEnd)
    expect(await ended.mw.stream(hello).result).toMatchObject({ text: 'half', finishReason: 'stop' })
  })

  it('a stream with its proof is complete, even if the connection breaks behind it', async () => {
    for (const bytes of [Buffer.concat([Buffer.from(head()), chunk(text)]), `${plain}text/event-stream\r\n\r\n${text}`]) {
      const { mw } = await served((wire) => wire.end(bytes))
      expect((await mw.stream(hello).result).text).toBe('half')
    }
  })
})

describe('TR8 a reply that is no answer', () => {
  const page = `<!doctype html><html><head><title>Sign in</title></head><body>Welcome to the hotel ${'x'.repeat(2_000)}</body></html>`

  it.each<[string, Buffer, string]>([
    ['a page', whole(page, 'text/html'), 'protocol'],
    ['a page under the label of JSON', whole(page), 'protocol'],
    ['a page under the label of an event stream', whole(page, 'text/event-stream'), 'protocol'],
    ['plain words', whole('hello', 'text/plain'), 'protocol'],
    ['words under the label of JSON', whole('not json at all'), 'protocol'],
    ['nothing', whole(''), 'protocol'],
    ['nothing but space', whole(' \r\n '), 'protocol'],
    ['204', Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'), 'protocol'],
  ])('%s is a typed error that can be read', async (_, bytes, kind) => {
    const { mw } = await served((wire) => void wire.write(bytes), { retry: false })
    for (const error of [await failureOf(mw.chat(hello)), (await failing(mw.stream(hello))).error]) {
      expect(error).toMatchObject({ kind })
      expect(error.message.length).toBeLessThan(512)
      expect(printed(error)).not.toContain(canary)
    }
  })

  it.each(['text/plain', 'application/octet-stream', 'text/html+json', 'application/problem+json; charset=utf-8', ''])(
    'JSON under the label %j is read as what it is',
    async (type) => {
      const { mw } = await served((wire) => wire.end(whole('{"text":"a","stop":"done"}', type)))
      expect((await mw.chat(hello)).text).toBe('a')
    },
  )
})

describe('TR9 a kept connection that the server closes as we write', () => {
  it('is no failure and no attempt', async () => {
    const { mw, server } = await served(
      (wire, _, count) => void (count === 2 ? wire.reset() : wire.write(whole('{"text":"a","stop":"done"}'))),
      { retry: false },
    )
    for (let n = 0; n < 2; n++) {
      expect((await mw.chat(hello)).text).toBe('a')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(server.requests).toHaveLength(3)
  })
})
