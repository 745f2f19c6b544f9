import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canary, demo } from '../tools/demo.ts'
import { serve } from '../tools/server.ts'
import { folder, modelwire } from './run.ts'

const nowhere = 'http://127.0.0.1:9'

describe('validate', () => {
  it('finds nothing wrong in the manifests that come with the package', async () => {
    const ran = await modelwire(['validate'])
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toMatch(/ok no mistakes.* in \d+ manifests\n$/)
    expect(ran.status).toBe(0)
  })

  it('finds every mistake of a file: in its shape, in its paths, in its patches and wires', async () => {
    const cwd = folder({
      'bad.yaml': `id: bad
base: https://api.example.com
bsae: twice
operations:
  chat:
    post: /chat
    body:
      model: $.model
      max: $.maxTokens | nmber
    events:
      text: { emit: { type: text, delta: '$.a[' } }
models:
  - match: big-*
    operations: { chat: { body: { heat: $.temperature | flots } } }
wires:
  other: { operations: { chat: { body: { top: "$.topP | joni" } } } }
`,
    })
    const ran = await modelwire(['validate', 'bad.yaml'], { cwd })
    expect(ran.status).toBe(1)
    const lines = ran.stdout.split('\n').filter((line) => line.startsWith('bad.yaml:'))
    expect(lines.map((line) => line.replace(/: .*/, ''))).toEqual(
      expect.arrayContaining(['bad.yaml:3:1', 'bad.yaml:9:7', 'bad.yaml:11:35', 'bad.yaml:14:35', 'bad.yaml:16:42']),
    )
    expect(ran.stdout).toContain('did you mean "base"?')
    for (const word of ['nmber', 'flots', 'joni']) expect(ran.stdout).toContain(`got "${word}"`)
    expect(ran.stdout).toContain('  hint: ')
    expect(ran.stderr).toMatch(/^\d mistakes in 1 manifest\n$/)
  })

  it.each([
    ['what is no YAML', 'id: bad\nbase: [\n', 'expected YAML'],
    ['nothing at all', '', 'bad.yaml:1:1'],
    ['a parent that nobody has', 'id: bad\nextends: opnai-chat\n', 'bad.yaml:2:1: expected the id of a manifest, got "opnai-chat"'],
    ['itself as a parent', 'id: bad\nextends: bad\n', 'bad.yaml:2:1'],
    [
      'a wire that extends nobody',
      'id: bad\nbase: https://a.example\noperations: { chat: { post: /a, events: {} } }\nwires: { x: { extends: nobody } }\n',
      'nobody',
    ],
    ['a key twice', 'id: bad\nid: worse\n', 'bad.yaml:2:1'],
  ])('tells %s with its place', async (_name, text, words) => {
    const ran = await modelwire(['validate', 'bad.yaml'], { cwd: folder({ 'bad.yaml': text }) })
    expect(ran.status).toBe(1)
    expect(ran.stdout).toContain(words)
    expect(ran.stderr).toBe('1 mistake in 1 manifest\n')
  })

  it('warns of long lines, which are no mistakes', async () => {
    const cwd = folder({ 'long.yaml': `${demo(nowhere).replace('id: demo', 'id: long')}# ${'x'.repeat(130)}\n` })
    const ran = await modelwire(['validate', 'long.yaml'], { cwd })
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(
      /^long\.yaml:\d+:121: warning: expected at most 120 columns, got 132\nok no mistakes, 1 warning in 1 manifest\n$/,
    )
  })

  it('looks at folders, at ids, and goes on after what is missing', async () => {
    const cwd = folder({
      'demo.yaml': demo(nowhere),
      'child.yaml': 'id: child\nextends: demo\n',
      'twin.yaml': 'id: child\nextends: demo\n',
    })
    const whole = await modelwire(['validate', '.'], { cwd })
    expect(whole.status).toBe(1)
    expect(whole.stdout).toContain('twin.yaml:1:1: expected an id of its own, got "child"')
    expect(await modelwire(['validate', 'child.yaml'], { cwd })).toMatchObject({ status: 0 })
    expect(await modelwire(['validate', '--protocols', '.', 'demo'], { cwd })).toMatchObject({ status: 0 })
    const missing = await modelwire(['validate', '--protocols', '.', 'dmeo', 'demo.yaml'], { cwd })
    expect(missing.status).toBe(1)
    expect(missing.stdout).toContain('did you mean "demo"?')
    mkdirSync(join(cwd, 'empty'))
    expect(await modelwire(['validate', 'empty'], { cwd })).toMatchObject({ status: 1 })
  })
})

describe('new', () => {
  it('writes a manifest of a few lines that extends a dialect, and validates', async () => {
    const cwd = folder({ 'demo.yaml': demo(nowhere) })
    const ran = await modelwire(['new', 'acme', '--extends', 'demo', '--base', 'https://api.acme.example/v1', '--protocols', '.'], {
      cwd,
    })
    expect(ran.status).toBe(0)
    expect(ran.stdout).toContain('modelwire validate acme.yaml')
    const text = readFileSync(join(cwd, 'acme.yaml'), 'utf8')
    expect(text.split('\n').length).toBeLessThanOrEqual(7)
    expect(text).toContain('auth: { bearer: ACME_API_KEY }')
    expect(await modelwire(['validate', 'acme.yaml'], { cwd })).toMatchObject({ status: 0, stderr: '' })
    const explained = await modelwire(['explain', '-m', 'acme/m1', '--protocols', '.', 'Hello'], { cwd })
    expect(explained.stdout).toContain('POST https://api.acme.example/v1/chat')
  })

  it('writes a whole skeleton that validates, and can be asked', async () => {
    const server = await serve((_request, response) => {
      response.setHeader('content-type', 'application/json').end('{"message":{"text":"I am a skeleton"},"finish_reason":"stop"}')
    })
    const cwd = folder()
    expect(await modelwire(['new', 'my-own', '--base', server.url], { cwd })).toMatchObject({ status: 0 })
    const valid = await modelwire(['validate', 'my-own.yaml'], { cwd })
    expect(valid).toMatchObject({ status: 0, stdout: 'ok no mistakes in 1 manifest\n' })
    const ran = await modelwire(['chat', '-m', 'my-own/m1', '--protocols', 'my-own.yaml', '--no-stream', 'hi'], {
      cwd,
      env: { MY_OWN_API_KEY: canary },
    })
    expect(ran).toMatchObject({ status: 0, stdout: 'I am a skeleton\n' })
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`)
  })

  it('overwrites nothing', async () => {
    const cwd = folder({ 'acme.yaml': 'mine' })
    const ran = await modelwire(['new', 'acme'], { cwd })
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('exists already')
    expect(readFileSync(join(cwd, 'acme.yaml'), 'utf8')).toBe('mine')
  })

  it.each([
    ['a path', ['../acme']],
    ['capitals', ['Acme']],
    ['nothing', []],
    ['an unknown parent', ['acme', '--extends', 'nobody']],
    ['an address that is none', ['acme', '--base', 'acme']],
  ])('refuses %s', async (_name, args) => {
    const cwd = folder()
    const ran = await modelwire(['new', ...args], { cwd })
    expect(ran.status).toBe(2)
    expect(ran.stderr).toMatch(/^error: /)
    expect(existsSync(join(cwd, 'acme.yaml'))).toBe(false)
  })
})

describe('explain', () => {
  const protocols = (): string => folder({ 'demo.yaml': demo(nowhere) })
  const explain = (args: string[], path = protocols()): ReturnType<typeof modelwire> =>
    modelwire(['explain', '-m', 'demo/m1', '--protocols', path, ...args], { env: { DEMO_KEY: canary } })

  it('shows the call, each field with the line that made it, and no key', async () => {
    const path = protocols()
    const ran = await explain(['--max-tokens', '9', '--set', 'top_k=4', 'Hello'], path)
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(new RegExp(`^POST ${nowhere}/chat\n`))
    expect(ran.stdout).toContain('Bearer $DEMO_KEY')
    expect(ran.stdout).toMatch(new RegExp(`^max +${path}/demo\\.yaml:\\d+:7 +9$`, 'm'))
    expect(ran.stdout).toMatch(/^top_k +extra +4$/m)
    expect(ran.stdout).toMatch(/^messages\[0\]\.parts\[0\]\.text +\S+ +"Hello"$/m)
    expect(ran.stdout + ran.stderr).not.toContain(canary)
  })

  it('warns of what the manifest has no use for, and --strict refuses it', async () => {
    const ran = await explain(['--reasoning', 'high'])
    expect(ran.status).toBe(0)
    expect(ran.stderr).toMatch(/^warning: reasoning.*demo\.yaml/)
    expect(await explain(['--strict', '--reasoning', 'high'])).toMatchObject({ status: 1 })
  })

  it('--json and --curl print it for programs', async () => {
    const json = JSON.parse((await explain(['--json'])).stdout)
    expect(json).toMatchObject({ method: 'POST', url: `${nowhere}/chat`, body: { model: 'm1', stream: true } })
    const curl = (await explain(['--curl', '--no-stream', "it's"])).stdout
    expect(curl).toContain(`curl -X POST "${nowhere}/chat"`)
    expect(curl).toContain('"stream":false')
  })

  it('takes a request from a file, of a chat or of embeddings', async () => {
    const files = folder({
      'chat.yaml': 'messages:\n  - { role: user, content: from the file }\nmaxTokens: 5\n',
      'embed.json': '{"input":["a"]}',
      'bad.yaml': '- 1',
    })
    const chat = JSON.parse((await explain(['--json', '--request', join(files, 'chat.yaml'), '--temperature', '1'])).stdout)
    expect(chat.body).toMatchObject({ messages: [{ parts: [{ text: 'from the file' }] }], max: 5, heat: 1 })
    const embed = JSON.parse((await explain(['--json', '--request', join(files, 'embed.json')])).stdout)
    expect(embed).toMatchObject({ url: `${nowhere}/embed`, body: { texts: ['a'] } })
    expect(await explain(['--request', join(files, 'bad.yaml')])).toMatchObject({ status: 2 })
    expect(await explain(['--operation', 'sing'])).toMatchObject({ status: 2 })
  })
})

describe('providers', () => {
  it('lists who can be called, which key each needs, and whether it is there', async () => {
    const protocols = folder({
      'demo.yaml': demo(nowhere),
      'open.yaml': `id: open\nname: Open to all\nextends: demo\nbase: ${nowhere}\nauth: none\n`,
    })
    const ran = await modelwire(['providers', '--protocols', protocols], { env: { DEMO_KEY: canary } })
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(/^demo +chat, embed +DEMO_KEY set +/m)
    expect(ran.stdout).toMatch(/^open +Open to all +chat, embed +none needed/m)
    expect(ran.stdout).toMatch(/^dialect /m)
    expect(ran.stdout + ran.stderr).not.toContain(canary)
  })

  it('--json, with a broken one told beside the others', async () => {
    const protocols = folder({ 'demo.yaml': demo(nowhere), 'broken.yaml': 'id: broken\nbase: [\n' })
    const ran = await modelwire(['providers', '--json', '--protocols', protocols])
    expect(ran.status).toBe(1)
    const infos = JSON.parse(ran.stdout) as { id: string; key: string; problem?: string }[]
    expect(infos.find(({ id }) => id === 'demo')).toMatchObject({
      callable: true,
      keys: ['DEMO_KEY', 'DEMO_API_KEY'],
      key: 'missing',
    })
    expect(infos.find(({ id }) => id === 'broken')?.problem).toContain('broken.yaml:')
    expect(ran.stderr).toMatch(/^error: broken: /)
  })
})

describe('models', () => {
  const listed = (url: string): string => `id: listed
extends: demo
base: ${url}
operations:
  models: { get: /models, decode: json, events: { model: { each: $.all, emit: { type: model, id: $.id, contextLength: $.size } } } }
models:
  - { match: "big-*", operations: { chat: { body: { max: null } } } }
wires:
  slow: { extends: demo, operations: { chat: { post: /slow } } }
`

  async function setup(): Promise<string> {
    const server = await serve((request, response) => {
      response.statusCode = request.headers.authorization === `Bearer ${canary}` ? 200 : 401
      response.setHeader('content-type', 'application/json').end('{"all":[{"id":"big-1","size":4096},{"id":"an/other"}]}')
    })
    const path = folder({ 'demo.yaml': demo(nowhere) })
    writeFileSync(join(path, 'listed.yaml'), listed(server.url))
    return path
  }

  it('list asks a provider', async () => {
    const ran = await modelwire(['models', 'list', 'listed', '--protocols', await setup()], { env: { DEMO_KEY: canary } })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toBe('model            context\nlisted/an/other\nlisted/big-1     4096\n')
  })

  it('list --json, and what fails', async () => {
    const path = await setup()
    const ran = await modelwire(['models', 'list', 'listed', 'demo', '--json', '--protocols', path], { env: { DEMO_KEY: canary } })
    expect(ran.status).toBe(1)
    expect(JSON.parse(ran.stdout)).toEqual([
      { provider: 'listed', id: 'an/other' },
      { provider: 'listed', id: 'big-1', contextLength: 4096 },
    ])
    expect(ran.stderr).toMatch(/^error: .*no operation "models"/)
    expect(await modelwire(['models', 'list', 'listed', '--protocols', path])).toMatchObject({ status: 1 })
    expect((await modelwire(['models', 'list', 'lsited', '--protocols', path])).stderr).toContain('did you mean "listed"?')
  })

  it('show tells what is known, with or without the provider', async () => {
    const path = await setup()
    const ran = await modelwire(['models', 'show', 'listed/big-1', '--protocols', path], { env: { DEMO_KEY: canary } })
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(/^operations +chat, embed, models$/m)
    expect(ran.stdout).toMatch(/^special +operations .*listed\.yaml:7:5$/m)
    expect(ran.stdout).toMatch(/^wire slow +chat/m)
    expect(ran.stdout).toMatch(/^listed +yes$/m)
    expect(ran.stdout).toMatch(/^context +4096 tokens$/m)
    const alone = await modelwire(['models', 'show', 'demo/m1', '--protocols', path, '--json'])
    expect(JSON.parse(alone.stdout)).toMatchObject({
      model: 'demo/m1',
      address: `${nowhere}/chat`,
      operations: ['chat', 'embed'],
      patches: [],
      listed: 'unknown',
    })
    expect(await modelwire(['models', 'show', 'm1', '--protocols', path])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no model "m1" on this machine') as string,
    })
    expect(await modelwire(['models', 'show', 'nobody/m1', '--protocols', path])).toMatchObject({ status: 1 })
  })
})
