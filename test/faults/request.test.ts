import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assert, asyncProperty, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChatRequest } from '../../src/index.ts'
import { failureOf } from '../tools/call.ts'
import { canary, demo, failing, hello, printed, protocols, runtime, streamed, whole } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'

const answer = whole('{"text":"a","stop":"done"}')

async function served(more: (manifest: string) => string = (manifest) => manifest, options: Parameters<typeof runtime>[1] = {}) {
  const server = await serveBytes(
    (wire, request) => void wire.write(request.body.includes('"stream":true') ? streamed({ text: 'a' }, '[END]') : answer),
  )
  return {
    server,
    mw: runtime(more(demo(server.url)), options),
    body: (at = -1) => JSON.parse(String(server.requests.at(at)?.body)) as Record<string, unknown>,
  }
}

describe('RB1 a header value that can’t be written', () => {
  const bad = ['a\r\nx-evil: 1', 'a\nb', 'a\0b', 'a\u2028b', 'snow ☃']

  it.each(bad.map((value) => [JSON.stringify(value), value]))(
    '%s in a key is refused without being said',
    async (_, value = '') => {
      for (const options of [
        { providers: { demo: { apiKey: `${canary}${value}` } } },
        { env: { DEMO_KEY: `${canary}${value}` } },
      ]) {
        const { mw, server } = await served(undefined, options)
        const error = await failureOf(mw.chat(hello))
        expect(error).toMatchObject({ kind: 'configuration', provider: 'demo' })
        expect(error.message).toContain('demo')
        expect(printed(error)).not.toContain('canary')
        expect(server.connections).toBe(0)
      }
    },
  )

  it.each(bad.map((value) => [JSON.stringify(value), value]))(
    '%s in a header of the caller, the options or a template names the header only',
    async (_, value = '') => {
      const withHeader = (manifest: string): string => manifest.replace('operations:', 'headers: { x-user: $.user }\noperations:')
      const said = `${canary}${value}`
      const { mw } = await served(withHeader, { providers: { demo: { headers: { 'x-team': said } } } })
      const errors = [
        await failureOf((await served()).mw.chat({ ...hello, headers: { 'x-team': said } })),
        await failureOf(mw.chat(hello)),
        await failureOf((await served(withHeader)).mw.chat({ ...hello, user: said })),
      ]
      for (const [index, error] of errors.entries()) {
        expect(error).toMatchObject({ kind: 'configuration' })
        expect(error.message).toContain(index === 2 ? 'x-user' : 'x-team')
        expect(printed(error)).not.toContain('canary')
      }
    },
  )

  it('a key that a server sends back is masked in the error, URL-encoded and in base64 too', async () => {
    const key = 'sk-canary/7f3e+9a51=='
    for (const form of [key, encodeURIComponent(key), Buffer.from(key).toString('base64')]) {
      const server = await serveBytes((wire) =>
        wire.end(whole(JSON.stringify({ error: { message: `bad key ${form}` } }), 'application/json', 401)),
      )
      const mw = runtime(demo(server.url), { env: { DEMO_KEY: key } })
      for (const error of [await failureOf(mw.chat(hello)), (await failing(mw.stream(hello))).error]) {
        expect(error).toMatchObject({ kind: 'authentication', message: expect.stringContaining('[redacted]') as string })
        expect(printed(error)).not.toContain(form)
      }
    }
  })

  it('a key reaches its header, and neither the body, the address nor explain', async () => {
    const { mw, server } = await served()
    await mw.chat(hello)
    const [request] = server.requests
    expect(request?.headers.authorization).toBe(`Bearer ${canary}`)
    expect(`${request?.path} ${String(request?.body)}`).not.toContain('canary')
    expect(JSON.stringify(mw.explain(hello))).not.toContain('canary')
    expect(JSON.stringify(mw.explain(hello))).toContain('$DEMO_KEY')
  })
})

describe('RB2 a key with space around it', () => {
  it.each(['\n', '\r\n', ' ', '\t\n'])('%j is no part of it', async (space) => {
    for (const options of [
      { env: { DEMO_KEY: `${space}${canary}${space}` } },
      { providers: { demo: { apiKey: `${canary}${space}` } } },
      { providers: { demo: { apiKey: () => `${canary}${space}` } } },
    ]) {
      const { mw, server } = await served(undefined, options)
      await mw.chat(hello)
      expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`)
    }
  })

  it('a key of nothing but space is a missing key', async () => {
    const { mw } = await served(undefined, { env: { DEMO_KEY: ' \n' } })
    expect(await failureOf(mw.chat(hello))).toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('DEMO_KEY') as string,
    })
  })
})

describe('RB3 a place in plain data', () => {
  const paths = (url: string): string => demo(url).replace('delta: $.args }', 'path: $.path, value: $.value }')

  it.each([
    ['$.city', 'Rome', { city: 'Rome' }],
    ['$.a.b[2].c', 1, { a: { b: [null, null, { c: 1 }] } }],
    ['$["a b"][0]', true, { 'a b': [true] }],
    ["$['x.y']", null, {}],
  ])('%s is set', async (path, value, expected) => {
    const server = await serveBytes((wire) => wire.end(streamed({ calls: [{ at: 0, id: 'c', name: 'f', path, value }] }, '[END]')))
    const result = await runtime(paths(server.url)).stream(hello).result
    expect(JSON.parse(JSON.stringify(result.toolCalls[0]?.arguments))).toEqual(expected)
  })

  it.each([
    '$.__proto__.polluted',
    '$["__proto__"].polluted',
    "$['constructor'].prototype.polluted",
    '$.a.constructor.prototype.polluted',
    '$.a.__defineGetter__',
    '$.a[4294967294]',
    '$.a[1025]',
    '$.a[-1]',
    '$.a[1.5]',
    '$.a["1',
    '$.a..b',
    '$.a[*]',
    '$.a[?(@.x)]',
    '$..',
    'a',
    '',
    '$.a[99999999999999999999]',
  ])('%s is refused', async (path) => {
    const server = await serveBytes((wire) =>
      wire.end(streamed({ calls: [{ at: 0, id: 'c', name: 'f', path, value: 1 }] }, '[END]')),
    )
    const { error } = await failing(runtime(paths(server.url)).stream(hello))
    expect(error).toMatchObject({ kind: 'protocol' })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('names of the prototype in `extra`, arguments, metadata and schemas are data or refused, never more', async () => {
    const { mw, body } = await served()
    const hostile = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
    expect(await failureOf(mw.chat({ ...hello, extra: hostile('{"__proto__":{"polluted":1}}') }))).toMatchObject({
      kind: 'invalid_request',
    })
    expect(
      await failureOf(mw.chat({ ...hello, extra: hostile('{"meta":{"__proto__":{"polluted":1}}}'), metadata: { a: 'b' } })),
    ).toMatchObject({ kind: 'invalid_request' })
    await mw.chat({
      ...hello,
      extra: hostile('{"constructor":{"prototype":{"polluted":1}},"toString":"a"}'),
      metadata: hostile('{"__proto__":"x","constructor":"y"}') as Record<string, string>,
    })
    expect(body()).toMatchObject({ constructor: { prototype: { polluted: 1 } }, toString: 'a' })
    expect(Object.entries(body().meta as object)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    for (const request of [
      hostile('{"__proto__":{"model":"demo/m1","prompt":"x"}}'),
      hostile('{"model":"demo/m1","prompt":"x","__proto__":{"stream":true}}'),
    ]) {
      await mw.chat(request as unknown as ChatRequest).catch(() => undefined)
    }
    expect(({} as Record<string, unknown>).stream).toBeUndefined()
  })
})

describe('RB4 a name that would change the address', () => {
  const inPath = (manifest: string): string => manifest.replace('post: /chat', 'post: "/models/{$.model}/chat"')
  const names = [
    'x#',
    'x/../y',
    '../..',
    'x@evil.test',
    'x?a=b',
    '%2e%2e',
    '%2e%2e/%2e%2e',
    'x%00',
    '\\..\\..',
    '//evil.test',
    'a b',
    'é',
    'x;y',
    '%',
    'a/b',
    'x\ud800',
  ]

  it.each(names)('the model %j stays in its place', async (name) => {
    const { mw, server } = await served(inPath)
    await mw.chat({ ...hello, model: `demo/${name}` })
    expect(server.requests[0]?.path).toBe(`/models/${encodeURIComponent(name.toWellFormed())}/chat`)
  })

  it.each(['.', '..'])('the model %j, which every URL parser takes for a step, is refused', async (name) => {
    const { mw, server } = await served(inPath)
    expect(await failureOf(mw.chat({ ...hello, model: `demo/${name}` }))).toMatchObject({ kind: 'configuration' })
    expect(server.connections).toBe(0)
  })

  const byVariable = (manifest: string): string =>
    manifest.replace(/base: .*/, 'base: "https://{$env.resource}.example.test/v1"\nvariables: { resource: DEMO_RESOURCE }')

  it.each(['evil.test/', 'evil.test#', 'evil.test?', 'x@evil', 'a/../b', 'x\\y', 'x:99', '[::1]', 'a b', '%2e%2e', 'a..b/../..'])(
    'a variable %j can’t be part of a host, and is refused',
    async (resource) => {
      const { mw } = await served(byVariable, { env: { DEMO_RESOURCE: resource } })
      expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'configuration' })
    },
  )

  it.each(['2130706433', '0x7f000001', '127.1', 'EXAMPLE.test'])(
    'a variable %j that is the whole host is what was written, or refused',
    async (resource) => {
      const { mw } = await served((manifest) => byVariable(manifest).replace('.example.test', ''), {
        env: { DEMO_RESOURCE: resource },
      })
      const host = await Promise.resolve()
        .then(() => new URL(mw.explain(hello).url).host)
        .catch((error: { kind: string }) => error.kind)
      expect(host).toBe(resource === 'EXAMPLE.test' ? 'example.test' : 'configuration')
    },
  )

  it.each(['my-team', ' my-team\n'])('a variable %j stands where it was written', async (resource) => {
    const { mw } = await served(byVariable, { env: { DEMO_RESOURCE: resource } })
    expect(mw.explain(hello).url).toBe('https://my-team.example.test/v1/chat')
  })

  it('a query is encoded', async () => {
    const { mw, server } = await served((manifest) =>
      manifest.replace('post: /chat', 'post: /chat\n    query: { m: $.model, k: "a&b=c" }'),
    )
    await mw.chat({ ...hello, model: 'demo/x&y=z#?/ é' })
    expect(Object.fromEntries(new URL(`http://x${server.requests[0]?.path}`).searchParams)).toEqual({ m: 'x&y=z#?/ é', k: 'a&b=c' })
  })
})

describe('RB5 what a request may choose', () => {
  it('neither host nor auth: whatever looks like them goes nowhere', async () => {
    const attacker = await serveBytes((wire) => wire.end(answer))
    const { mw, server, body } = await served()
    const evil = {
      ...hello,
      baseUrl: attacker.url,
      base_url: attacker.url,
      apiKey: 'evil',
      api_key: 'evil',
      url: attacker.url,
      provider: 'other',
      base: attacker.url,
    } as unknown as ChatRequest
    const result = await mw.chat(evil)
    expect(result.warnings.map(({ field }) => field)).toEqual(expect.arrayContaining(['baseUrl', 'apiKey', 'url']))
    expect(attacker.connections).toBe(0)
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`)
    expect(JSON.stringify(body())).not.toContain('evil')
    expect(await failureOf(mw.chat({ ...evil, strict: true }))).toMatchObject({ kind: 'invalid_request' })
  })

  it.each(['authorization', 'Authorization', 'AUTHORIZATION', 'host', 'Host'])('the header %s is refused', async (name) => {
    const { mw, server } = await served()
    expect(await failureOf(mw.chat({ ...hello, headers: { [name]: 'Bearer evil' } }))).toMatchObject({ kind: 'invalid_request' })
    expect(server.connections).toBe(0)
  })

  it('a header of the manifest’s own auth is refused, others are sent', async () => {
    const { mw, server } = await served((manifest) =>
      manifest.replace('auth: { bearer: DEMO_KEY }', 'auth: { header: { X-Demo-Key: DEMO_KEY }, prefix: "Key " }'),
    )
    expect(await failureOf(mw.chat({ ...hello, headers: { 'x-demo-key': 'evil' } }))).toMatchObject({ kind: 'invalid_request' })
    await mw.chat({ ...hello, headers: { 'X-Trace': '1' } })
    expect(server.requests[0]?.headers).toMatchObject({ 'x-demo-key': `Key ${canary}`, 'x-trace': '1' })
  })

  it('`extra` goes into the body, and nowhere else', async () => {
    const { mw, server, body } = await served()
    await mw.chat({
      ...hello,
      extra: { headers: { authorization: 'evil' }, url: 'http://evil.test', seed_of_theirs: 7, meta: { b: 2 }, model: 'other' },
      metadata: { a: '1' },
    })
    expect(body()).toMatchObject({
      headers: { authorization: 'evil' },
      url: 'http://evil.test',
      seed_of_theirs: 7,
      meta: { a: '1', b: 2 },
      model: 'other',
    })
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`)
    expect(server.requests[0]?.path).toBe('/chat')
  })

  it('a model names its provider, and no path to a manifest', async () => {
    const folder = protocols(demo('http://127.0.0.1:1'))
    writeFileSync(join(folder, '..', 'outside.yaml'), demo('http://127.0.0.1:1').replace('id: demo', 'id: outside'))
    const mw = runtime(demo('http://127.0.0.1:1'), { protocols: folder })
    for (const model of [
      '../outside/m',
      './demo/m',
      'demo.yaml/m',
      '/etc/passwd',
      'DEMO/m',
      'demo',
      'demo/',
      '/m',
      '',
      'http://evil.test/m',
      '__proto__/m',
      'constructor/m',
    ]) {
      expect({ ...(await failureOf(mw.chat({ ...hello, model }))), said: model }).toMatchObject({
        said: model,
        kind: 'configuration',
      })
    }
  })
})

describe('RB9 odd values', () => {
  it('a prompt of 5 MB, half characters, line separators and NUL arrive as well-formed UTF-8', async () => {
    const { mw, server, body } = await served()
    for (const text of ['x'.repeat(5 * 1_048_576), 'a\u2028\u2029\0\u007f\ufeff', '漢'.repeat(100_000)]) {
      await mw.chat({ ...hello, prompt: text })
      expect(body()).toMatchObject({ messages: [{ parts: [{ text }] }] })
    }
    await mw.chat({ ...hello, prompt: 'half \ud83d and \ude00 the other' })
    expect(server.requests.at(-1)?.body.toString()).toContain('half \\ud83d and \\ude00 the other')
    expect(Buffer.from(server.requests.at(-1)?.body.toString() ?? '').equals(server.requests.at(-1)?.body ?? Buffer.alloc(0))).toBe(
      true,
    )
  })

  it('any text at all arrives as it is', async () => {
    const { mw, body } = await served()
    await assert(
      asyncProperty(string({ unit: 'binary', minLength: 1 }), async (text) => {
        await mw.chat({ ...hello, prompt: text, system: text, metadata: { [`k${text}`]: text } })
        expect(body()).toMatchObject({ messages: [{ parts: [{ text }] }], system: text })
        expect((body().meta as Record<string, unknown>)[`k${text}`]).toBe(text)
      }),
      { numRuns: 100 },
    )
  })

  const circular: Record<string, unknown> = {}
  circular.self = circular

  it.each<[string, Partial<ChatRequest>]>([
    ['NaN', { temperature: NaN }],
    ['Infinity', { maxTokens: Infinity }],
    ['a number as text', { temperature: '1' as unknown as number }],
    ['a BigInt', { maxTokens: 5n as unknown as number }],
    ['a BigInt in extra', { extra: { a: 5n } }],
    ['a circle in extra', { extra: circular }],
    ['a circle in a tool', { tools: [{ name: 'f', parameters: circular }] }],
    [
      'a circle in arguments',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_call', id: 'a', name: 'f', arguments: circular }] }] },
    ],
    ['a circle in a result', { messages: [{ role: 'tool', content: [{ type: 'tool_result', id: 'a', content: circular }] }] }],
    ['a prompt that is none', { prompt: 5 as unknown as string }],
    ['a message without content', { messages: [{ role: 'user' } as never] }],
    ['a message that is none', { messages: [null as never] }],
    ['messages that are none', { messages: 'hi' as never }],
    ['a role that is none', { messages: [{ role: 'robot' as never, content: 'x' }] }],
    ['a part that is none', { messages: [{ role: 'user', content: [null as never] }] }],
    ['a part of no type', { messages: [{ role: 'user', content: [{ type: 'constructor' } as never] }] }],
    ['a part without its text', { messages: [{ role: 'user', content: [{ type: 'text' } as never] }] }],
    ['a tool without a name', { tools: [{ name: '' }] }],
    ['a tool that is none', { tools: [null as never] }],
    ['tools that are none', { tools: {} as never }],
    ['a choice that is none', { toolChoice: 'maybe' as never }],
    ['a choice of null', { toolChoice: null as never }],
    ['an image that isn’t there', { prompt: [{ type: 'image', data: '/no/such/file.png' }] }],
    ['an image of a number', { prompt: [{ type: 'image', data: 5 as never }] }],
    ['no prompt and no messages', { prompt: undefined as never, messages: [] }],
    ['a schema that is none', { output: { type: 'nonsense' } }],
  ])('%s is an invalid_request, and nothing is sent', async (name, more) => {
    const { mw, server } = await served()
    const error = await failureOf(mw.chat({ ...hello, ...more } as ChatRequest))
    expect(error).toMatchObject({ kind: 'invalid_request' })
    expect((await failing(mw.stream({ ...hello, ...more } as ChatRequest))).error).toMatchObject({ kind: 'invalid_request' })
    expect({ name, connections: server.connections }).toEqual({ name, connections: 0 })
  })
})
