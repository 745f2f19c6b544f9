import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { canary, demo, hello, printed, runtime, whole } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'

const nowhere = demo('http://127.0.0.1:1')

async function loaded(manifest: string, env: Record<string, string> = {}) {
  return failureOf(runtime(manifest, { env }).chat(hello))
}

describe('ML7 a path beyond the language', () => {
  it.each([
    '$[?(process.exit(1))]',
    '$.a[(@.length-1)]',
    '$.a.constructor.constructor',
    '$..*',
    '$.text.toUpperCase()',
    `$.${'a'.repeat(300)}`,
    '$.a[*][*][*][*]',
    '$[?(@.a =~ /(a+)+$/)]',
    '$.a | eval',
    '$.a | constructor',
    '$.a | __proto__',
    '$process.env.DEMO_KEY',
    '$.a ?? process',
    '$.a b',
  ])('%s is refused when the manifest loads, with its line', async (path) => {
    const error = await loaded(nowhere.replace('delta: $.text }', `delta: ${JSON.stringify(path)} }`))
    expect(error).toMatchObject({ kind: 'manifest', where: expect.stringMatching(/demo\.yaml:\d+:\d+$/) as string })
  })
})

describe('ML8 patterns', () => {
  it.each(['{ $regex: "(a+)+$" }', '{ $match: a }', '{ constructor: a }', '{ $type: function }', '{ $glob: [a] }'])(
    '%s is refused when the manifest loads',
    async (pattern) => {
      expect(await loaded(nowhere.replace('when: { error: "*" }', `when: { error: ${pattern} }`))).toMatchObject({
        kind: 'manifest',
        where: expect.stringContaining('demo.yaml:') as string,
      })
    },
  )

  it('a text that looks like a regular expression is a text, and costs nothing', async () => {
    for (const glob of ['(a+)+$', `${'a*'.repeat(20)}b`, `*${'a*'.repeat(30)}x`]) {
      const server = await serveBytes((wire) =>
        wire.end(whole(JSON.stringify({ error: 'a'.repeat(100_000), text: 'x', stop: 'done' }))),
      )
      const mw = runtime(demo(server.url).replace('when: { error: "*" }', `when: { error: { $glob: ${JSON.stringify(glob)} } }`))
      await mw.chat(hello)
      const started = performance.now()
      expect((await mw.chat(hello)).text).toBe('x')
      expect(performance.now() - started).toBeLessThan(250)
    }
  })
})

describe('ML11 variables of the environment', () => {
  const env = { DEMO_KEY: canary, OTHER_SECRET: 'sk-other-canary', PATH_OF: '/usr' }

  it.each(['${OTHER_SECRET}', '${PATH}', '{OTHER_SECRET}', '%OTHER_SECRET%', '$$OTHER_SECRET', '!env OTHER_SECRET'])(
    '%s in a body is a text',
    async (text) => {
      const server = await serveBytes((wire) => wire.end(whole('{"text":"a"}')))
      await runtime(
        demo(server.url).replace('      model: $.model\n', `      model: $.model\n      leak: ${JSON.stringify(text)}\n`),
        { env },
      )
        .chat(hello)
        .catch(() => undefined)
      expect(String(server.requests[0]?.body)).not.toContain('canary')
      expect(String(server.requests[0]?.body)).not.toContain('/usr')
    },
  )

  it('one that sounds like a secret can’t be declared as a setting', async () => {
    const error = await loaded(nowhere.replace('operations:', 'variables: { x: OTHER_SECRET }\noperations:'), env)
    expect(error).toMatchObject({ kind: 'manifest', hint: expect.stringContaining('auth') as string })
    expect(printed(error)).not.toContain('canary')
  })

  it.each([
    ['a body', nowhere.replace('      model: $.model\n', '      model: $.model\n      leak: $env.OTHER_SECRET\n')],
    ['a header', nowhere.replace('operations:', 'headers: { x-leak: $env.OTHER_SECRET }\noperations:')],
    ['an address', nowhere.replace('post: /chat', 'post: "/chat/{$env.OTHER_SECRET}"')],
    ['a base', nowhere.replace(/base: .*/, 'base: "http://127.0.0.1:1/{$env.OTHER_SECRET}"')],
    ['an event', nowhere.replace('delta: $.text }', 'delta: $env.OTHER_SECRET }')],
  ])('one that nobody declared can’t be read in %s: the error names it, never its value', async (_, manifest) => {
    const error = await loaded(manifest, env)
    expect(error).toMatchObject({ kind: 'manifest', where: expect.stringContaining('demo.yaml:') as string })
    expect(error.message).toContain('OTHER_SECRET')
    expect(printed(error)).not.toContain('canary')
  })

  it('the key isn’t readable as a variable', async () => {
    const error = await loaded(nowhere.replace('      model: $.model\n', '      model: $.model\n      leak: $env.DEMO_KEY\n'), env)
    expect(error).toMatchObject({ kind: 'manifest' })
  })

  it('a declared one that isn’t set is an error that names it where an address needs it', async () => {
    const manifest = nowhere.replace(/base: .*/, 'base: "https://{$env.region}.example.test"\nvariables: { region: DEMO_REGION }')
    expect(await loaded(manifest, env)).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('region') as string,
      hint: expect.stringContaining('DEMO_REGION') as string,
    })
  })

  it('a key that isn’t set is an error that names its variable', async () => {
    expect(await loaded(nowhere, { DEMO_KEY: '' })).toMatchObject({
      kind: 'configuration',
      provider: 'demo',
      hint: expect.stringContaining('DEMO_KEY') as string,
    })
  })
})
