import { describe, expect, it } from 'vitest'
import { authority, clientCertificate, clientKey, serverCertificate, serverKey } from '../tools/certificates.ts'
import { failureOf, idle, never, post, text, transport } from '../tools/call.ts'
import { serveProxy } from '../tools/proxy.ts'
import { serve, serveBytes } from '../tools/server.ts'

const tls = { cert: serverCertificate, key: serverKey }
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

describe('a call over HTTP', () => {
  it('sends method, path, headers and body as they are, and gives status, headers and bytes back', async () => {
    const server = await serve((request, response) => {
      response.writeHead(201, { 'x-two': ['a', 'b'] })
      response.end(`you said ${request.body.toString()}`)
    })
    const headers = { 'content-type': 'text/plain', authorization: 'Bearer k\u00e9y' }
    const reply = await transport()({ method: 'post', url: `${server.url}/v1/chat?x=1%202`, headers, body: 'h\u00e9llo' }, never())
    expect(reply.status).toBe(201)
    expect(reply.headers['x-two']).toBe('a, b')
    expect(await text(reply)).toBe('you said h\u00e9llo')
    expect(server.requests[0]).toMatchObject({ method: 'POST', path: '/v1/chat?x=1%202' })
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer k\u00e9y')
  })

  it('keeps a connection for the next call', async () => {
    const server = await serve((_, response) => response.end('ok'))
    const http = transport()
    for (let n = 0; n < 3; n += 1) {
      await text(await http(post(server.url), never()))
      await idle()
    }
    expect(server.connections).toBe(1)
  })

  it('passes 1xx replies by', async () => {
    const server = await serveBytes((wire) => void wire.write(`HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}`))
    const reply = await transport()(post(server.url), never())
    expect([reply.status, await text(reply)]).toEqual([200, 'ok'])
  })

  it('asks for compression except of streams, and leaves a choice of the caller alone', async () => {
    const server = await serve((request, response) => response.end(request.headers['accept-encoding'] ?? 'none'))
    const http = transport()
    const asked = async (headers: Record<string, string>) => text(await http(post(server.url, { headers }), never()))
    expect(await asked({ accept: 'application/json' })).toBe('gzip, deflate, br')
    expect(await asked({ accept: 'text/event-stream' })).toBe('none')
    expect(await asked({ 'accept-encoding': 'zstd' })).toBe('zstd')
  })

  it('headers named like parts of Object.prototype are headers', async () => {
    const server = await serveBytes(
      (wire) =>
        void wire.write(
          'HTTP/1.1 200 OK\r\n__proto__: a\r\n__proto__: b\r\nconstructor: c\r\nconstructor: d\r\ncontent-length: 0\r\n\r\n',
        ),
    )
    const reply = await transport()(post(server.url), never())
    expect(Object.hasOwn(reply.headers, 'constructor')).toBe(true)
    expect(reply.headers['constructor']).toContain('c')
    expect(Object.getPrototypeOf(reply.headers)).toBe(Object.prototype)
  })

  it('an address that is none is refused without being quoted', async () => {
    for (const url of ['not a url?key=canary', 'file:///etc/passwd?canary', 'ftp://x/canary']) {
      const error = await failureOf(transport()(post(url), never()))
      expect(error.kind).toBe('configuration')
      expect(JSON.stringify(error) + error.stack).not.toContain('canary')
    }
  })

  it('after close it is over, for calls under way too', async () => {
    const server = await serveBytes(() => undefined)
    const http = transport()
    const waiting = failureOf(http(post(server.url), never()))
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await http.close()
    expect(await waiting).toMatchObject({ kind: 'cancelled' })
    expect(await failureOf(http(post(server.url), never()))).toMatchObject({ kind: 'cancelled' })
  })
})

describe('TR1 a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i is a reply and never followed', async (status) => {
    const other = await serve((_, response) => response.end('got the key'))
    const server = await serve((_, response) => response.writeHead(status, { location: other.url }).end())
    const reply = await transport()(post(server.url, { headers: { authorization: 'Bearer canary' } }), never())
    expect(reply.status).toBe(status)
    expect(other.connections).toBe(0)
  })
})

describe('TR9 a kept connection that the server closes as we write', () => {
  it('is written to again, once, on a new connection', async () => {
    const server = await serveBytes((wire, _, count) => void (count === 2 ? wire.reset() : wire.write(ok)))
    const http = transport()
    await text(await http(post(server.url), never()))
    await idle()
    const reply = await http(post(server.url, { body: '{"second":true}' }), never())
    expect(await text(reply)).toBe('ok')
    expect(server.requests.map((request) => request.connection)).toEqual([1, 1, 2])
    expect(server.requests[2]?.body.toString()).toBe('{"second":true}')
  })

  it('works for a decent close as well', async () => {
    const server = await serveBytes((wire, _, count) => void (count === 2 ? wire.end() : wire.write(ok)))
    const http = transport()
    await text(await http(post(server.url), never()))
    await idle()
    expect(await text(await http(post(server.url), never()))).toBe('ok')
  })

  it('is an error when a byte of an answer came', async () => {
    const server = await serveBytes((wire, _, count) => void (count === 2 ? wire.end('HTTP/1.1 2') : wire.write(ok)))
    const http = transport()
    await text(await http(post(server.url), never()))
    await idle()
    expect(await failureOf(http(post(server.url), never()))).toMatchObject({ kind: 'network', retryable: true })
    expect(server.requests).toHaveLength(2)
  })

  it('is no race on a new connection, and none after a second of thought', async () => {
    const fresh = await serveBytes((wire) => wire.reset())
    expect(await failureOf(transport()(post(fresh.url), never()))).toMatchObject({ kind: 'network' })
    expect(fresh.requests).toHaveLength(1)

    const slow = await serveBytes(async (wire, _, count) => {
      if (count === 1) return void wire.write(ok)
      await wire.wait(1_100)
      wire.reset()
    })
    const http = transport()
    await text(await http(post(slow.url), never()))
    await idle()
    expect(await failureOf(http(post(slow.url), never()))).toMatchObject({ kind: 'network' })
    expect(slow.requests).toHaveLength(2)
  })

  it('never goes on: the second time is an error', async () => {
    const server = await serveBytes((wire, _, count) => void (count === 1 ? wire.write(ok) : wire.reset()))
    const http = transport()
    await text(await http(post(server.url), never()))
    await idle()
    expect(await failureOf(http(post(server.url), never()))).toMatchObject({ kind: 'network' })
    expect(server.requests).toHaveLength(3)
  })
})

describe('TLS', () => {
  it('trusts an authority that is given beside the usual ones', async () => {
    const server = await serveBytes((wire) => void wire.write(ok), tls)
    const reply = await transport()(post(server.url, { connection: { ca: authority } }), never())
    expect(await text(reply)).toBe('ok')
  })

  it('shows a client certificate', async () => {
    const server = await serveBytes((wire) => void wire.write(ok), {
      ...tls,
      ca: authority,
      requestCert: true,
      rejectUnauthorized: true,
    })
    const connection = { ca: authority, cert: clientCertificate, key: clientKey }
    expect(await text(await transport()(post(server.url, { connection }), never()))).toBe('ok')
    await failureOf(transport()(post(server.url, { connection: { ca: authority } }), never()))
  })

  it('says so when a certificate or a key is none', async () => {
    const connection = { cert: 'canary', key: 'canary' }
    const error = await failureOf(transport()(post('https://127.0.0.1:1', { connection }), never()))
    expect(error).toMatchObject({ kind: 'configuration' })
    expect(error.stack + JSON.stringify(error)).not.toContain('canary')
  })
})

describe('TR10 a proxy', () => {
  const secret = { headers: { authorization: 'Bearer canary', 'x-api-key': 'canary' }, body: '{"canary":1}' }

  it('learns by CONNECT where to, and nothing of the request', async () => {
    const server = await serveBytes((wire) => void wire.write(ok), tls)
    const proxy = await serveProxy(server.port)
    const http = transport({ env: { HTTPS_PROXY: proxy.url } })
    const reply = await http(
      post(`https://localhost:${server.port}/v1?key=canary`, { ...secret, connection: { ca: authority } }),
      never(),
    )
    expect(await text(reply)).toBe('ok')
    expect(proxy.tunnels).toHaveLength(1)
    expect(proxy.tunnels[0]?.path).toBe(`localhost:${server.port}`)
    expect(JSON.stringify(proxy)).not.toContain('canary')
    expect(server.requests[0]?.headers['x-api-key']).toBe('canary')
  })

  it('is logged in to by its own user and password, which the provider never sees', async () => {
    const server = await serveBytes((wire) => void wire.write(ok), tls)
    const proxy = await serveProxy(server.port)
    const connection = { ca: authority, proxy: proxy.url.replace('//', '//user:pass%21@') }
    await text(await transport()(post(`https://localhost:${server.port}`, { connection }), never()))
    expect(proxy.tunnels[0]?.headers['proxy-authorization']).toBe(`Basic ${Buffer.from('user:pass!').toString('base64')}`)
    expect(server.requests[0]?.headers['proxy-authorization']).toBeUndefined()
  })

  it('gets plain http as a whole request, as is the custom', async () => {
    const proxy = await serveProxy(1)
    const http = transport({ env: { http_proxy: proxy.url } })
    expect(await text(await http(post('http://models.invalid/v1'), never()))).toBe('by proxy')
    expect(proxy.forwarded[0]?.url).toBe('http://models.invalid/v1')
  })

  it('is left out by NO_PROXY, and by `proxy: false`', async () => {
    const server = await serve((_, response) => response.end('direct'))
    const proxy = await serveProxy(server.port)
    const named = transport({ env: { HTTP_PROXY: proxy.url, NO_PROXY: 'example.com, 127.0.0.1' } })
    expect(await text(await named(post(server.url), never()))).toBe('direct')
    const off = transport({ env: { HTTP_PROXY: proxy.url } })
    expect(await text(await off(post(server.url, { connection: { proxy: false } }), never()))).toBe('direct')
  })

  it.each([403, 407])('that refuses with %i is an error that says so', async (status) => {
    const proxy = await serveProxy(1, status)
    for (const url of ['https://models.invalid/', status === 407 ? 'http://models.invalid/' : 'https://models.invalid/']) {
      const error = await failureOf(transport({ env: { ALL_PROXY: proxy.url } })(post(url), never()))
      expect(error).toMatchObject({ kind: 'network', retryable: false })
      expect(error.message).toContain(String(status))
    }
  })

  it('that isn’t there is a network error', async () => {
    const error = await failureOf(
      transport({ env: { HTTPS_PROXY: 'http://127.0.0.1:1' } })(post('https://models.invalid/'), never()),
    )
    expect(error).toMatchObject({ kind: 'network' })
  })

  it('that takes the connection and never answers is a connect timeout', async () => {
    const silent = await serveBytes(() => undefined)
    const http = transport({ env: { HTTPS_PROXY: silent.url }, connectTimeout: 200 })
    expect(await failureOf(http(post('https://models.invalid/'), never()))).toMatchObject({ kind: 'timeout', phase: 'connect' })
  })

  it('hears nothing of a call that is given up at once, and no more of one that is given up on the way', async () => {
    const silent = await serveBytes(() => undefined)
    const http = transport({ env: { HTTP_PROXY: silent.url } })
    const early = new AbortController()
    const outcome = failureOf(http(post('http://models.invalid/early'), early.signal))
    early.abort()
    expect(await outcome).toMatchObject({ kind: 'cancelled' })
    const late = new AbortController()
    const waiting = failureOf(http(post('http://models.invalid/late'), late.signal))
    while (silent.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    late.abort()
    expect(await waiting).toMatchObject({ kind: 'cancelled' })
    await silent.closed
    expect(silent.requests.map(({ path }) => path)).toEqual(['http://models.invalid/late'])
  })

  it('whose address is none is refused without being quoted', async () => {
    for (const proxy of ['ftp://user:canary@host', 'http://', 'http://user:canary@:::']) {
      const error = await failureOf(transport()(post('https://models.invalid/', { connection: { proxy } }), never()))
      expect(error.kind).toBe('configuration')
      expect(error.stack + JSON.stringify(error)).not.toContain('canary')
    }
  })
})

describe('RB1 a header that can’t be written', () => {
  const values = ['a\r\nx: canary', 'canary\n', 'canary\0', 'canary\u2028', 'can\u00e4ry\u4e16canary', 'canary\u007f']

  it.each(values.map((value) => [JSON.stringify(value), value]))(
    '%s: the error names the header, never the value',
    async (_, value) => {
      const error = await failureOf(transport()(post('http://127.0.0.1:1', { headers: { 'x-api-key': value } }), never()))
      expect(error).toMatchObject({ kind: 'configuration' })
      expect(error.message).toContain('x-api-key')
      expect([error.message, error.hint, error.stack, JSON.stringify(error), String(error.cause)].join()).not.toMatch(
        /can\u00e4?a?ry/,
      )
    },
  )

  it('a name that is none may be a value in the wrong place, and isn’t said either', async () => {
    const error = await failureOf(transport()(post('http://127.0.0.1:1', { headers: { 'Bearer canary': 'x' } }), never()))
    expect(error).toMatchObject({ kind: 'configuration' })
    expect(error.stack + JSON.stringify(error)).not.toContain('canary')
  })

  it('headers that belong to the transport are refused', async () => {
    for (const name of ['transfer-encoding', 'upgrade', 'expect']) {
      const error = await failureOf(transport()(post('http://127.0.0.1:1', { headers: { [name]: 'canary' } }), never()))
      expect(error).toMatchObject({ kind: 'configuration' })
      expect(error.stack + JSON.stringify(error) + String(error.cause)).not.toContain('canary')
    }
  })
})
