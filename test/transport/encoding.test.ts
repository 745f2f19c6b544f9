import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { failureOf, idle, never, post, text, transport } from '../tools/call.ts'
import { serve, serveBytes } from '../tools/server.ts'

const words = JSON.stringify({ text: 'a b c d e f g '.repeat(3_000) })
const squeezed: [string, Buffer][] = [
  ['gzip', zlib.gzipSync(words)],
  ['deflate', zlib.deflateSync(words)],
  ['deflate', zlib.deflateRawSync(words)],
  ['br', zlib.brotliCompressSync(words)],
  ['gzip, br', zlib.brotliCompressSync(zlib.gzipSync(words))],
  ['identity, GZIP', zlib.gzipSync(words)],
]

const reply = (encoding: string, body: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`), body])

describe('a compressed reply', () => {
  it.each(squeezed)('%s is read as what it was', async (encoding, body) => {
    const server = await serveBytes((wire) => void wire.write(reply(encoding, body)))
    const http = transport()
    expect(await text(await http(post(server.url), never()))).toBe(words)
    await idle()
    expect(await text(await http(post(server.url), never()))).toBe(words)
    expect(server.connections).toBe(1)
  })

  it.each(squeezed)('TR6 %s cut short is `truncated`, with an exact content-length too', async (encoding, body) => {
    for (const cut of [1, 8, body.length >> 1, body.length - 1]) {
      const server = await serveBytes((wire) => void wire.write(reply(encoding, body.subarray(0, cut))))
      const error = await failureOf(transport()(post(server.url), never()).then(text))
      expect([cut, error.kind]).toEqual([cut, 'truncated'])
    }
  })

  it('TR6 gzip whose connection is cut is `truncated` as well', async () => {
    const whole = reply('gzip', zlib.gzipSync(words))
    const server = await serveBytes((wire) => wire.end(whole.subarray(0, whole.length - 20)))
    expect(await failureOf(transport()(post(server.url), never()).then(text))).toMatchObject({ kind: 'truncated' })
  })

  it('that is none, or unknown, is a `protocol` error, and the connection goes', async () => {
    const body = Buffer.from('<html>not compressed at all</html>')
    for (const encoding of ['gzip', 'br', 'zstd', 'deflate', 'compress']) {
      const server = await serveBytes((wire) => void wire.write(reply(encoding, body)))
      expect(await failureOf(transport()(post(server.url), never()).then(text))).toMatchObject({ kind: 'protocol' })
    }
  })

  it('without a single byte is empty', async () => {
    const server = await serveBytes((wire) => void wire.write(reply('gzip', Buffer.alloc(0))))
    expect(await text(await transport()(post(server.url), never()))).toBe('')
  })

  it.each(['gzip', 'br'])('%s events arrive as they are flushed', async (encoding) => {
    const made = { gzip: zlib.createGzip, br: zlib.createBrotliCompress }[encoding]
    const server = await serve(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': encoding })
      const squeeze = made?.()
      squeeze?.pipe(response)
      for (let n = 0; n < 5; n += 1) {
        squeeze?.write(`data: ${n}\n\n`)
        await new Promise<void>((resolve) => squeeze?.flush(() => resolve()))
        await new Promise((resolve) => setTimeout(resolve, 60))
      }
      squeeze?.end()
    })
    const answer = await transport()(post(server.url), never())
    const times: number[] = []
    let all = ''
    for await (const part of answer.body) {
      times.push(performance.now())
      all += Buffer.from(part).toString()
    }
    expect(all).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\n')
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(150)
  })
})

describe('TR5 a reply made to blow up', () => {
  it('300 MB of gzip stop at the cap, and the memory with them', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(300 * 1024 * 1024))
    expect(bomb.length).toBeLessThan(320_000)
    const server = await serveBytes((wire) => void wire.write(reply('gzip', bomb)))
    const before = process.memoryUsage.rss()
    let most = 0
    let seen = 0
    const http = transport({ maxBytes: 64 * 1024 * 1024 })
    const answer = await http(post(server.url), never())
    const error = await failureOf(
      (async () => {
        for await (const part of answer.body) {
          seen += part.byteLength
          most = Math.max(most, process.memoryUsage.rss())
        }
      })(),
    )
    expect(error).toMatchObject({ kind: 'protocol', retryable: false })
    expect(error.hint).toContain('limits.reply')
    expect(seen).toBeLessThanOrEqual(64 * 1024 * 1024)
    expect(seen).toBeGreaterThan(60 * 1024 * 1024)
    expect((most - before) / 1e6).toBeLessThan(100)
    await server.closed
  })

  it('a chain of six encodings is refused before anything is decoded', async () => {
    const server = await serveBytes((wire) => void wire.write(reply('gzip, gzip, gzip, gzip, gzip, gzip', zlib.gzipSync(words))))
    expect(await failureOf(transport()(post(server.url), never()))).toMatchObject({ kind: 'protocol' })
    await server.closed
  })

  it('a plain body beyond the cap of its call ends there, and so does the connection', async () => {
    const server = await serveBytes(async (wire) => {
      wire.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
      while (!wire.gone) {
        wire.write(`2710\r\n${'x'.repeat(10_000)}\r\n`)
        await wire.drained()
        await wire.wait(0)
      }
    })
    const error = await failureOf(transport()(post(server.url, { maxBytes: 1_000_000 }), never()).then(text))
    expect(error).toMatchObject({ kind: 'protocol' })
    await server.closed
  })
})
