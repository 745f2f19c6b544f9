import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { framed } from '../../src/transport/headers.ts'
import { serveNothing } from '../tools/blackhole.ts'
import { failureOf, never, post, text, transport } from '../tools/call.ts'
import { serverCertificate, serverKey } from '../tools/certificates.ts'
import { serveBytes } from '../tools/server.ts'

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('TR2 a connection that doesn’t come about', () => {
  it('refused: a network error that may be tried again', async () => {
    const port = await closedPort()
    const error = await failureOf(transport()(post(`http://127.0.0.1:${port}/v1?key=canary`), never()))
    expect(error).toMatchObject({ kind: 'network', retryable: true, fallbackable: true })
    expect(error.message).toContain(`127.0.0.1:${port} refused`)
    expect(error.hint).toMatch(/running/)
    expect(error.stack + JSON.stringify(error) + JSON.stringify(error.cause)).not.toContain('canary')
  })

  it('refused by every address of a name', async () => {
    expect(await failureOf(transport()(post(`http://localhost:${await closedPort()}`), never()))).toMatchObject({
      kind: 'network',
      retryable: true,
    })
  })

  it('a name that cannot be resolved', async () => {
    const error = await failureOf(transport()(post('http://nothing.invalid/'), never()))
    expect(error).toMatchObject({ kind: 'network', retryable: true })
    expect(error.message).toContain('cannot be resolved')
  })

  it('reset before the headers', async () => {
    const server = await serveBytes((wire) => wire.reset())
    const error = await failureOf(transport()(post(server.url), never()))
    expect(error).toMatchObject({ kind: 'network', retryable: true })
    expect(error.message).toContain('before it answered')
  })

  it('closed in the middle of the headers', async () => {
    const server = await serveBytes((wire) => wire.end('HTTP/1.1 200 OK\r\ncontent-le'))
    expect(await failureOf(transport()(post(server.url), never()))).toMatchObject({ kind: 'network', retryable: true })
  })

  it('a certificate that nobody vouches for isn’t tried again', async () => {
    const server = await serveBytes((wire) => wire.end(), { cert: serverCertificate, key: serverKey })
    const error = await failureOf(transport()(post(server.url), never()))
    expect(error).toMatchObject({ kind: 'network', retryable: false })
    expect(error.hint).toContain('`ca`')
  })

  it('TLS reset in the handshake may be tried again, plain HTTP in its place not', async () => {
    const reset = createServer((socket) => void socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy()))
    await new Promise<void>((resolve) => reset.listen(0, '127.0.0.1', resolve))
    const { port } = reset.address() as AddressInfo // it listens on TCP
    expect(await failureOf(transport()(post(`https://127.0.0.1:${port}`), never()))).toMatchObject({
      kind: 'network',
      retryable: true,
    })
    reset.close()

    const plain = createServer(
      (socket) => void socket.on('error', () => undefined).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    const other = plain.address() as AddressInfo // it listens on TCP
    const error = await failureOf(transport()(post(`https://127.0.0.1:${other.port}`), never()))
    expect(error).toMatchObject({ kind: 'network', retryable: false })
    expect(error.hint).toContain('http://')
    plain.close()
  })

  it.runIf(process.platform === 'linux')('a black hole: the connect clock, to the point', async () => {
    const port = await serveNothing()
    const start = performance.now()
    const error = await failureOf(transport()(post(`http://127.0.0.1:${port}`, { connection: { connectTimeout: 300 } }), never()))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'connect', retryable: true })
    expect(performance.now() - start).toBeGreaterThan(290)
    expect(performance.now() - start).toBeLessThan(450)
  })
})

describe('TR6 a reply that is cut short', () => {
  const cut: [string, string][] = [
    ['chunked without its end', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n'],
    ['chunked, cut in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhello'],
    ['fewer bytes than content-length', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello'],
    ['fewer bytes, on a connection that was to close', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nhello'],
  ]

  it.each(cut)('%s: what came, then `truncated`', async (_, bytes) => {
    for (const close of ['end', 'reset'] as const) {
      const server = await serveBytes(async (wire) => {
        wire.write(bytes)
        await wire.wait(20)
        wire[close]()
      })
      const reply = await transport()(post(server.url), never())
      let came = ''
      const error = await failureOf(
        (async () => {
          for await (const part of reply.body) came += Buffer.from(part).toString()
        })(),
      )
      expect(error).toMatchObject({ kind: 'truncated', retryable: true })
      expect(came).toBe('hello')
    }
  })

  it('without a length: a reset is `truncated`, a decent close ends the body and proves nothing', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhello'
    const reset = await serveBytes(async (wire) => {
      wire.write(head)
      await wire.wait(20)
      wire.reset()
    })
    expect(await failureOf(transport()(post(reset.url), never()).then(text))).toMatchObject({ kind: 'truncated' })

    const closed = await serveBytes((wire) => wire.end(head))
    const reply = await transport()(post(closed.url), never())
    expect(await text(reply)).toBe('hello')
    expect(framed(reply.headers)).toBe(false)
    expect(framed({ 'content-length': '5' })).toBe(true)
    expect(framed({ 'transfer-encoding': 'chunked' })).toBe(true)
  })
})

describe('TR7 bytes that are not HTTP/1.1', () => {
  const canary = 'canary'
  const bad: [string, string][] = [
    ['two lengths that differ', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc'],
    ['a length beside chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length that is no number', `HTTP/1.1 200 OK\r\ncontent-length: ${canary}\r\n\r\n`],
    ['a bare line feed after a header', 'HTTP/1.1 200 OK\nx: 1\n\nabc'],
    ['HTTP/0.9', `<html>${canary}</html>`],
    ['HTTP/2 on its own', '\0\0\u0012\u0004\0\0\0\0\0'],
    ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 5\r\n\r\nhello'],
    ['headers of 70 KB', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['a transfer encoding other than chunked', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ]

  it.each(bad)('%s', async (_, bytes) => {
    const server = await serveBytes((wire) => wire.end(bytes))
    const error = await failureOf(transport()(post(server.url), never()).then(text))
    expect(error).toMatchObject({ kind: 'protocol', retryable: false })
    expect(error.stack + JSON.stringify(error) + JSON.stringify(error.cause)).not.toContain(canary)
  })

  it('in the middle of a body', async () => {
    const server = await serveBytes((wire) => wire.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n'))
    expect(await failureOf(transport()(post(server.url), never()).then(text))).toMatchObject({ kind: 'protocol' })
  })

  it('headers of 20 KB are still read', async () => {
    const server = await serveBytes((wire) =>
      wire.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`),
    )
    expect(await text(await transport()(post(server.url), never()))).toBe('ok')
  })
})
