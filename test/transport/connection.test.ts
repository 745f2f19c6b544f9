/** What happens to connections between calls, seen from the server's side. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { authority, serverCertificate, serverKey } from '../tools/certificates.ts'
import { failureOf, idle, never, post, text, transport } from '../tools/call.ts'
import { serve, serveBytes } from '../tools/server.ts'

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const tls = { cert: serverCertificate, key: serverKey }

/** Two calls with a pause between them, and the connections by which they came. */
async function twice(reply: string | Uint8Array): Promise<number[]> {
  const server = await serveBytes((wire) => void wire.write(reply))
  const http = transport()
  for (let n = 0; n < 2; n++) {
    expect(await text(await http(post(server.url), never()))).toBe('ok')
    await idle()
  }
  return server.requests.map(({ connection }) => connection)
}

describe('a connection', () => {
  it.each([
    ['with a length', ok],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['of HTTP/1.0 that keeps it', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok'],
  ])('is used again after a reply %s', async (_, reply) => {
    expect(await twice(reply)).toEqual([1, 1])
  })

  it.each([
    ['says that it closes', ok.replace('\r\n', '\r\nconnection: close\r\n')],
    ['is of HTTP/1.0', ok.replace('HTTP/1.1', 'HTTP/1.0')],
    ['keeps it for a moment only', ok.replace('\r\n', '\r\nkeep-alive: timeout=1\r\n')],
    ['has more behind it', `${ok}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`],
  ])('isn’t used again when the reply %s', async (_, reply) => {
    expect(await twice(reply)).toEqual([1, 2])
  })

  it('isn’t used again when something comes that nobody asked for', async () => {
    const server = await serveBytes(async (wire, _, count) => {
      wire.write(ok)
      await wire.wait(20)
      if (count === 1) wire.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged')
    })
    const http = transport()
    for (let n = 0; n < 2; n++) {
      expect(await text(await http(post(server.url), never()))).toBe('ok')
      await sleep(40)
    }
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2])
    await server.closed
  })

  it('is used again right behind a reply, and by one call at a time', async () => {
    const server = await serveBytes((wire) => void wire.write(ok))
    const http = transport()
    const call = async (): Promise<string> => text(await http(post(server.url), never()))
    for (let n = 0; n < 20; n++) expect(await call()).toBe('ok')
    expect(server.connections).toBe(1)
    expect(await Promise.all(Array.from({ length: 10 }, call))).toEqual(Array.from({ length: 10 }, () => 'ok'))
    expect(server.connections).toBe(10)
    await Promise.all(Array.from({ length: 10 }, call))
    expect(server.connections).toBe(10)
  })

  it('that is closed right behind a reply costs no call, and no call is made twice', async () => {
    const server = await serveBytes((wire) => wire.end(ok))
    const http = transport()
    for (let n = 0; n < 50; n++) {
      expect(await text(await http(post(server.url), never()))).toBe('ok')
      await sleep(n % 3)
    }
    expect(server.requests).toHaveLength(50)
  })

  it('is left when the server answered before it had read it all', async () => {
    let connections = 0
    const eager = createServer((socket) => {
      connections++
      socket.on('error', () => undefined)
      socket.once('data', () => void socket.pause().write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno'))
    }).listen(0, '127.0.0.1')
    await once(eager, 'listening')
    const { port } = eager.address() as AddressInfo // it listens on TCP
    const http = transport()
    for (let n = 0; n < 2; n++) {
      const reply = await http(post(`http://127.0.0.1:${port}`, { body: new Uint8Array(50_000_000) }), never())
      expect([reply.status, await text(reply)]).toEqual([413, 'no'])
      await idle()
    }
    expect(connections).toBe(2)
    await http.close()
    eager.close()
  })

  it('is let go of when the server would soon close it', async () => {
    const server = await serveBytes((wire) => void wire.write(ok.replace('\r\n', '\r\nkeep-alive: timeout=3\r\n')))
    const http = transport()
    await text(await http(post(server.url), never()))
    const start = performance.now()
    expect((await server.closed) - start).toBeGreaterThan(900)
    expect(performance.now() - start).toBeLessThan(1_500)
  })

  it('isn’t used again when it is too old and a busy process hasn’t let go of it yet', async () => {
    const server = await serveBytes((wire) => void wire.write(ok.replace('\r\n', '\r\nkeep-alive: timeout=3\r\n')))
    const http = transport()
    await text(await http(post(server.url), never()))
    await idle()
    for (const start = performance.now(); performance.now() - start < 1_050;);
    await text(await http(post(server.url), never()))
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2])
  })

  it('keeps the process for a call under way, and lets it end while it waits for another', async () => {
    const server = await serve(async (_, response) => {
      await sleep(50)
      response.end('ok')
    })
    const module = fileURLToPath(new URL('../../src/transport/http.ts', import.meta.url))
    const code = `
      import { createHttpTransport } from ${JSON.stringify(module)}
      const http = createHttpTransport({ env: {} })
      for (const path of ['/1', '/2']) {
        const reply = await http({ method: 'GET', url: ${JSON.stringify(server.url)} + path, headers: {} }, new AbortController().signal)
        for await (const piece of reply.body) process.stdout.write(piece)
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: 20_000,
    })
    let said = ''
    let saidAt = 0
    child.stdout.on('data', (piece: Buffer) => {
      said += piece.toString()
      saidAt = performance.now()
    })
    const [status] = (await once(child, 'close')) as [number | null]
    expect([said, status, server.connections]).toEqual(['okok', 0, 1])
    expect(performance.now() - saidAt).toBeLessThan(2_500) // it would be kept for three seconds
  })
})

describe('a connection with TLS', () => {
  it('says nothing to a server that nobody vouches for', async () => {
    const server = await serveBytes((wire) => void wire.write(ok), tls)
    await failureOf(transport()(post(server.url, { headers: { authorization: 'Bearer canary' } }), never()))
    await sleep(50)
    expect(server.requests).toHaveLength(0)
  })

  it('goes on from the handshake of the one before', async () => {
    const resumed: boolean[] = []
    const server = await serveBytes((wire) => {
      resumed.push((wire.socket as TLSSocket).isSessionReused())
      wire.end(ok)
    }, tls)
    const http = transport()
    for (let n = 0; n < 2; n++) {
      await text(await http(post(server.url, { connection: { ca: authority } }), never()))
      await sleep(20)
    }
    expect(resumed).toEqual([false, true])
  })

  it('pauses a server that is faster than its reader, and loses nothing', async () => {
    const piece = Buffer.alloc(100_000, 'x')
    let written = 0
    const server = await serveBytes(async (wire) => {
      wire.write('HTTP/1.1 200 OK\r\ncontent-length: 20000000\r\n\r\n')
      for (let n = 0; n < 200; n++) {
        written += piece.length
        if (!wire.write(piece)) await wire.drained()
      }
    }, tls)
    const reply = await transport()(post(server.url, { connection: { ca: authority } }), never())
    await sleep(300)
    expect(written).toBeLessThan(19_000_000)
    expect(await text(reply)).toHaveLength(20_000_000)
  })
})
