import { getEventListeners } from 'node:events'
import { authority, serverCertificate, serverKey } from '../tools/certificates.ts'
import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { HttpTransport } from '../../src/transport/http.ts'
import { serveNothing } from '../tools/blackhole.ts'
import { failureOf, idle, never, post, text, transport } from '../tools/call.ts'
import { serveBytes } from '../tools/server.ts'
import type { Script, Wire } from '../tools/server.ts'

const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const chunk = (words: string): string => `${Buffer.byteLength(words).toString(16)}\r\n${words}\r\n`
const head: Script = (wire) => void wire.write(chunked + chunk('first'))
const gzipped = zlib.gzipSync('first', { finishFlush: zlib.constants.Z_SYNC_FLUSH })
const gzipHead: Script = (wire) => {
  wire.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n${gzipped.length.toString(16)}\r\n`)
  wire.write(gzipped)
  wire.write('\r\n')
}

/** Writes without end, as fast as it is taken; counts what it could get rid of. */
function flood(counted: { bytes: number }, prefix = chunked): Script {
  return async (wire) => {
    wire.write(prefix)
    const piece = chunk('x'.repeat(32 * 1024))
    while (!wire.gone) {
      const fits = wire.write(piece)
      counted.bytes += piece.length
      if (!fits) await wire.drained()
      else await new Promise(setImmediate)
    }
  }
}

describe('ST8 a slow consumer', () => {
  it('holds the server back: 8 MB wait at most, the kernel’s buffers included', async () => {
    const sent = { bytes: 0 }
    const server = await serveBytes(flood(sent))
    const reply = await transport()(post(server.url), never())
    let read = 0
    const before = process.memoryUsage().arrayBuffers
    for await (const part of reply.body) {
      read += part.byteLength
      await new Promise((resolve) => setTimeout(resolve, 100))
      if (read > 10 * 32 * 1024) break
    }
    expect(sent.bytes - read).toBeLessThan(8 * 1024 * 1024)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * 1024 * 1024)
  })

  it('that never reads at all holds it back too', async () => {
    const sent = { bytes: 0 }
    const server = await serveBytes(flood(sent))
    const abort = new AbortController()
    await transport()(post(server.url), abort.signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const early = sent.bytes
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(sent.bytes).toBe(early)
    expect(early).toBeLessThan(8 * 1024 * 1024)
    abort.abort()
    await server.closed
  })

  it.each([
    ['', undefined],
    [' over TLS', { cert: serverCertificate, key: serverKey }],
  ])('gets every byte in order%s, however often the server was held back', async (_over, tls) => {
    const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${'.'.repeat(n % 97)}\n`)
    const server = await serveBytes(async (wire) => {
      wire.write(chunked)
      for (const line of lines) if (!wire.write(chunk(line))) await wire.drained()
      wire.write('0\r\n\r\n')
    }, tls)
    const reply = await transport()(post(server.url, { connection: { ca: authority } }), never())
    let all = ''
    let turns = 0
    for await (const part of reply.body) {
      all += Buffer.from(part).toString()
      turns += 1
      if (turns % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(all).toBe(lines.join(''))
  })
})

describe('a body', () => {
  it('can be read once', async () => {
    const server = await serveBytes((wire) => void wire.write(`${chunked}${chunk('hello')}0\r\n\r\n`))
    const reply = await transport()(post(server.url), never())
    expect(await text(reply)).toBe('hello')
    expect(await failureOf(text(reply))).toMatchObject({ kind: 'invalid_request' })
  })

  it('hands out what waits before the error that followed', async () => {
    const server = await serveBytes((wire) => wire.end(chunked + chunk('one')))
    const reply = await transport()(post(server.url), never())
    await idle()
    const iterator = reply.body[Symbol.asyncIterator]()
    expect(Buffer.from((await iterator.next()).value as Uint8Array).toString()).toBe('one') // it isn't done
    expect(await failureOf(iterator.next())).toMatchObject({ kind: 'truncated' })
  })

  it('answers two pulls made at once, in order', async () => {
    const server = await serveBytes(async (wire) => {
      wire.write(chunked)
      await wire.wait(20)
      wire.write(chunk('one'))
      await wire.wait(20)
      wire.write(`${chunk('two')}0\r\n\r\n`)
    })
    const iterator = (await transport()(post(server.url), never())).body[Symbol.asyncIterator]()
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()])
    expect(results.map(({ value, done }) => (done ? 'end' : Buffer.from(value).toString()))).toEqual(['one', 'two', 'end'])
  })
})

describe('ST7 leaving a body', () => {
  const streams: [string, Script][] = [
    ['plain', head],
    ['compressed', gzipHead],
  ]

  it.each(streams)('closes the connection within 100 ms (%s)', async (_, script) => {
    const server = await serveBytes(script)
    const reply = await transport()(post(server.url), never())
    let left = 0
    for await (const part of reply.body) {
      expect(Buffer.from(part).toString()).toBe('first')
      left = performance.now()
      break
    }
    expect((await server.closed) - left).toBeLessThan(100)
  })

  it.each(streams)('while a pull is waiting ends the pull as well (%s)', async (_, script) => {
    const server = await serveBytes(script)
    const iterator = (await transport()(post(server.url), never())).body[Symbol.asyncIterator]()
    await iterator.next()
    const waiting = iterator.next().then(
      (result) => result.done,
      () => true,
    )
    await iterator.return?.()
    expect(await waiting).toBe(true)
    await server.closed
  })
})

describe('releasing a body', () => {
  it('that ends soon keeps the connection', async () => {
    const server = await serveBytes(async (wire) => {
      wire.write(chunked + chunk('proof'))
      await wire.wait(30)
      wire.write(`${chunk('more')}0\r\n\r\n`)
    })
    const http = transport()
    const reply = await http(post(server.url), never())
    await reply.body[Symbol.asyncIterator]().next()
    reply.release()
    await new Promise((resolve) => setTimeout(resolve, 80))
    await text(await http(post(server.url), never()))
    expect(server.connections).toBe(1)
  })

  it('that goes on and on closes it: after 128 KB, or after a second', async () => {
    const counted = { bytes: 0 }
    const loud = await serveBytes(flood(counted))
    const reply = await transport()(post(loud.url), never())
    const start = performance.now()
    reply.release()
    expect((await loud.closed) - start).toBeLessThan(500)

    const silent = await serveBytes(head)
    const other = await transport()(post(silent.url), never())
    const since = performance.now()
    other.release()
    expect((await silent.closed) - since).toBeGreaterThan(900)
    expect((await silent.closed) - since).toBeLessThan(1_300)
  })

  it('that has ended does nothing', async () => {
    const server = await serveBytes((wire) => void wire.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    const reply = await transport()(post(server.url), never())
    expect(await text(reply)).toBe('ok')
    reply.release()
  })
})

describe('ST9 an abort by the caller', () => {
  interface Case {
    script: Script
    /** Where the call is when the caller aborts. */
    until: (http: HttpTransport, url: string, signal: AbortSignal) => Promise<{ outcome: Promise<unknown> }>
  }
  const sent =
    (wires: Wire[]): Script =>
    (wire) =>
      void wires.push(wire)
  const waits: Wire[] = []
  const cases: Record<string, Case> = {
    'before the first byte': {
      script: sent(waits),
      until: async (http, url, signal) => {
        const outcome = http(post(url), signal)
        outcome.catch(() => undefined)
        while (waits.length === 0) await idle()
        return { outcome }
      },
    },
    'between the head and the first byte of the body': {
      script: (wire) => void wire.write(chunked),
      until: async (http, url, signal) => ({ outcome: text(await http(post(url), signal)) }),
    },
    'in the middle of the body': {
      script: head,
      until: async (http, url, signal) => {
        const iterator = (await http(post(url), signal)).body[Symbol.asyncIterator]()
        await iterator.next()
        return { outcome: iterator.next() }
      },
    },
    'in the middle, with bytes that wait unread': {
      script: head,
      until: async (http, url, signal) => {
        const reply = await http(post(url), signal)
        await idle()
        const outcome = new Promise((resolve, reject) =>
          signal.addEventListener('abort', () => reply.body[Symbol.asyncIterator]().next().then(resolve, reject)),
        )
        return { outcome }
      },
    },
    'in the middle of a compressed body': {
      script: gzipHead,
      until: async (http, url, signal) => {
        const iterator = (await http(post(url), signal)).body[Symbol.asyncIterator]()
        await iterator.next()
        return { outcome: iterator.next() }
      },
    },
  }

  it.each(Object.entries(cases))(
    '%s: one error within 50 ms, the connection gone, no listener left',
    async (_, { script, until }) => {
      const server = await serveBytes(script)
      const caller = new AbortController()
      const why = new Error('enough')
      const { outcome } = await until(transport(), server.url, caller.signal)
      const settled = failureOf(outcome)
      const start = performance.now()
      caller.abort(why)
      const error = await settled
      expect(error).toMatchObject({ kind: 'cancelled', cause: why, retryable: false })
      expect(performance.now() - start).toBeLessThan(50)
      expect((await server.closed) - start).toBeLessThan(100)
      expect(getEventListeners(caller.signal, 'abort').filter((listener) => listener.name === 'onAbort')).toHaveLength(0)
    },
  )

  it('before it is sent: nothing is sent', async () => {
    const server = await serveBytes(head)
    const error = await failureOf(transport()(post(server.url), AbortSignal.abort('no')))
    expect(error).toMatchObject({ kind: 'cancelled', cause: 'no' })
    expect(server.connections).toBe(0)
  })

  it('while the transport is still being loaded', async () => {
    const server = await serveBytes(head)
    const caller = new AbortController()
    const outcome = failureOf(transport()(post(server.url), caller.signal))
    caller.abort()
    expect(await outcome).toMatchObject({ kind: 'cancelled' })
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
  })

  it.runIf(process.platform === 'linux')('while connecting: the attempt to connect ends too', async () => {
    const port = await serveNothing()
    const http = transport()
    await failureOf(http(post('http://127.0.0.1:1'), never())) // the transport is loaded now
    await idle()
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => /TCP.*Wrap|ConnectWrap/.test(name)).length
    const before = sockets()
    const caller = new AbortController()
    const outcome = failureOf(http(post(`http://127.0.0.1:${port}`), caller.signal))
    await idle()
    expect(sockets()).toBeGreaterThan(before)
    const start = performance.now()
    caller.abort()
    expect(await outcome).toMatchObject({ kind: 'cancelled' })
    expect(performance.now() - start).toBeLessThan(50)
    await idle()
    expect(sockets()).toBe(before)
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
  })

  it('after the end changes nothing, and no listener is left', async () => {
    const server = await serveBytes((wire) => void wire.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    const caller = new AbortController()
    const http = transport()
    const reply = await http(post(server.url), caller.signal)
    expect(await text(reply)).toBe('ok')
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0)
    caller.abort()
    await idle()
    expect(await text(await http(post(server.url), never()))).toBe('ok')
    expect(server.connections).toBe(1)
  })

  it('by a clock is that clock’s error', async () => {
    const { ModelwireError } = await import('../../src/core/error.ts')
    const server = await serveBytes(() => undefined)
    const clock = new AbortController()
    setTimeout(() => clock.abort(new ModelwireError('timeout', 'slow', { phase: 'firstByte' })), 30)
    expect(await failureOf(transport()(post(server.url), clock.signal))).toMatchObject({ kind: 'timeout', phase: 'firstByte' })
    await server.closed
  })
})
