import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canary, chunk, demo, head, last, sse, streamed, whole } from '../tools/demo.ts'
import { type Script, type Served, serve, serveBytes } from '../tools/server.ts'
import { folder, type How, jsonLines, modelwire, type Ran } from './run.ts'

const answer = streamed(
  { id: 'r1', model: 'm1' },
  { text: 'It is ' },
  { text: 'blue.' },
  { stop: 'done' },
  { sum: { in: 5, out: 3 } },
  '[END]',
)

interface Setup {
  server: Served
  chat: (args: string[], how?: How) => Promise<Ran>
  /** What was sent, as data. */
  sent: (index?: number) => Record<string, unknown>
}

async function setup(script: Script): Promise<Setup> {
  const server = await serveBytes(script)
  const protocols = folder({ 'demo.yaml': demo(server.url) })
  return {
    server,
    chat: (args, how = {}) =>
      modelwire(['chat', '-m', 'demo/m1', '--protocols', protocols, ...args], { ...how, env: { DEMO_KEY: canary, ...how.env } }),
    sent: (index = 0) => JSON.parse(server.requests[index]?.body.toString() ?? 'null') as Record<string, unknown>,
  }
}

const says =
  (bytes: Uint8Array): Script =>
  (wire) =>
    void wire.write(bytes)
const part = (text: string): unknown => [{ role: 'user', parts: [{ text }] }]

describe('chat answers', () => {
  it('with the text alone on standard output, and usage and speed on standard error', async () => {
    const { chat, server, sent } = await setup(says(answer))
    const ran = await chat(['Why', 'is the sky blue?'])
    expect(ran).toMatchObject({ status: 0, stdout: 'It is blue.\n' })
    expect(ran.stderr).toMatch(/^5 tokens in · 3 out · .*tok\/s · first .*s · .*s\n$/)
    expect(sent()).toMatchObject({ model: 'm1', messages: part('Why is the sky blue?'), stream: true })
    expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${canary}`)
  })

  it('each piece as it comes', async () => {
    const seen: string[] = []
    const { chat } = await setup(async (wire) => {
      wire.write(head())
      wire.write(chunk(sse({ text: 'one' })))
      while (!seen.join('').includes('one')) await wire.wait(10)
      wire.write(chunk(sse({ text: ' two' }, { stop: 'done' }, '[END]')) + last)
    })
    const ran = await chat(['go'], { meanwhile: (child) => child.stdout?.on('data', (text) => seen.push(String(text))) })
    expect(ran).toMatchObject({ status: 0, stdout: 'one two\n' })
    expect(seen.length).toBeGreaterThan(1)
  })

  it('to what is piped in: as the prompt, or after it', async () => {
    const { chat, sent } = await setup(says(answer))
    await chat([], { input: 'a question\n' })
    await chat(['Summarise:'], { input: 'long text\n' })
    expect(sent(0).messages).toEqual(part('a question'))
    expect(sent(1).messages).toEqual(part('Summarise:\n\nlong text'))
  })

  it('without waiting for a pipe that a program left open', async () => {
    const { chat } = await setup(says(answer))
    expect(await chat(['hello'], { input: 'open' })).toMatchObject({ status: 0, stdout: 'It is blue.\n' })
  })

  it('with every option in its place', async () => {
    const { chat, sent } = await setup(says(answer))
    const files = folder({
      'tools.yaml': '- name: weather\n  description: tells it\n  parameters: { type: object }\n',
      'schema.json': '{ "type": "string" }',
    })
    const options = ['--system', 'Be brief', '--tools', join(files, 'tools.yaml'), '--max-tokens', '9', '--temperature', '0.5']
    const ran = await chat([...options, '--set', 'top_k=4', '--set', 'a.b=word', '--set', 'a.c=true', 'hi'])
    expect(ran.status).toBe(0)
    expect(sent()).toMatchObject({
      system: 'Be brief',
      tools: [{ name: 'weather', about: 'tells it', schema: { type: 'object' } }],
      max: 9,
      heat: 0.5,
      top_k: 4,
      a: { b: 'word', c: true },
    })
  })

  it('with a model from the environment', async () => {
    const { server } = await setup(says(answer))
    const protocols = folder({ 'demo.yaml': demo(server.url) })
    const ran = await modelwire(['chat', 'hi'], {
      env: { MODELWIRE_MODEL: 'demo/m1', MODELWIRE_PROTOCOLS: protocols, DEMO_KEY: canary },
    })
    expect(ran).toMatchObject({ status: 0, stdout: 'It is blue.\n' })
  })

  it('at another address, and whole', async () => {
    const { server, sent } = await setup(says(whole('{"text":"all at once","stop":"done","sum":{"in":1,"out":2}}')))
    const protocols = folder({ 'demo.yaml': demo('http://127.0.0.1:1') })
    const ran = await modelwire(
      ['chat', '-m', 'demo/m1', '--protocols', protocols, '--base-url', server.url, '--no-stream', 'hi'],
      { env: { DEMO_KEY: canary } },
    )
    expect(ran).toMatchObject({ status: 0, stdout: 'all at once\n' })
    expect(sent().stream).toBe(false)
  })

  it('with tool calls, warnings and the reason of a cut on standard error', async () => {
    const { chat } = await setup(
      says(streamed({ calls: [{ at: 0, id: 'c1', name: 'weather', args: '{"city":"Oslo"}' }] }, { stop: 'cut' }, '[END]')),
    )
    const ran = await chat(['--reasoning', 'high', 'hi'])
    expect(ran).toMatchObject({ status: 0, stdout: '' })
    expect(ran.stderr).toContain('warning: reasoning')
    expect(ran.stderr).toContain('tool call: weather({"city":"Oslo"}) c1')
    expect(ran.stderr).toContain('--max-tokens raises it')
  })

  it('and keeps reasoning from a pipe', async () => {
    const { chat } = await setup(says(streamed({ thought: 'hmm' }, { text: 'yes' }, { stop: 'done' }, '[END]')))
    const ran = await chat(['hi'])
    expect(ran.stdout).toBe('yes\n')
    expect(ran.stderr).not.toContain('hmm')
  })

  it('byte for byte where no terminal listens', async () => {
    const { chat } = await setup(says(streamed({ text: '\u001b[31mred\u001b[0m\r\n\u0007é☃' }, { stop: 'done' }, '[END]')))
    expect((await chat(['hi'])).stdout).toBe('\u001b[31mred\u001b[0m\r\n\u0007é☃\n')
  })
})

describe('chat for programs', () => {
  it('--json prints the whole result as one object', async () => {
    const { chat } = await setup(says(answer))
    const ran = await chat(['--json', 'hi'])
    expect(JSON.parse(ran.stdout)).toMatchObject({
      text: 'It is blue.',
      finishReason: 'stop',
      usage: { inputTokens: 5, outputTokens: 3 },
      provider: 'demo',
      model: 'm1',
    })
    expect(ran.stderr).toBe('')
  })

  it('--json prints an error as one object, and its sentence on standard error', async () => {
    const { chat } = await setup(says(whole('{"error":{"message":"far too long","code":"too_long"}}', 'application/json', 400)))
    const ran = await chat(['--json', 'hi'])
    expect(ran.status).toBe(1)
    expect(JSON.parse(ran.stdout)).toMatchObject({ error: { kind: 'context_length', status: 400 } })
    expect(ran.stderr).toMatch(/^error: far too long\n/)
  })

  it('--events prints each event as a line', async () => {
    const { chat } = await setup(says(answer))
    const ran = await chat(['--events', 'hi'])
    expect(jsonLines(ran.stdout).map(({ type }) => type)).toEqual(['start', 'text', 'text', 'finish', 'usage'])
  })

  it('--events ends a failed stream with its error', async () => {
    const { chat } = await setup(says(streamed({ text: 'half' }, { error: { message: 'it fell over' } })))
    const ran = await chat(['--events', 'hi'])
    expect(ran.status).toBe(1)
    expect(jsonLines(ran.stdout)).toMatchObject([
      { type: 'start' },
      { type: 'text', delta: 'half' },
      { type: 'error', error: { message: 'it fell over', partial: { text: 'half' } } },
    ])
  })

  it('--schema checks the answer', async () => {
    const schema = join(folder({ 'schema.json': '{ "type": "object", "required": ["name"] }' }), 'schema.json')
    const { chat } = await setup(says(streamed({ text: '{"age":3}' }, { stop: 'done' }, '[END]')))
    const ran = await chat(['--schema', schema, 'hi'])
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain("doesn't fit")
  })

  it('-v tells where the call goes', async () => {
    const { chat, server } = await setup(says(answer))
    const { stderr } = await chat(['-v', 'hi'])
    expect(stderr).toContain(`POST ${server.url}/chat`)
    expect(stderr).toContain('model m1')
  })
})

describe('chat without a model and without a key', () => {
  it('talks with the model that comes along, and says so in one line', async () => {
    const ran = await modelwire(['chat', 'What is Modelwire?'])
    expect(ran.status).toBe(0)
    expect(ran.stdout).toContain('Modelwire')
    const [first = '', sum = '', ...others] = ran.stderr.trim().split('\n')
    expect(first).toBe('no model was named and no key is set: Pocket answers, in this process (-m llama/pocket)')
    expect(sum).toMatch(/^\d+ tokens in · \d+ out · \d+ tok\/s · first /)
    expect(others).toEqual([])
  })
})

describe('chat fails in one sentence', () => {
  const sentence = /^error: .+\n( {2}hint: .+\n)?( {2}\w.*\n)?$/

  it('without a key', async () => {
    const { chat, server } = await setup(says(answer))
    const ran = await chat(['hi'], { env: { DEMO_KEY: '' } })
    expect(ran.status).toBe(1)
    expect(ran.stderr).toBe('error: the API key for "demo" is missing\n  hint: set DEMO_KEY in the environment\n')
    expect(server.requests).toEqual([])
  })

  it.each([
    ['an unknown provider', ['-m', 'dmeo/m1', 'hi'], 1, 'did you mean "demo"?'],
    ['a model without a provider', ['-m', 'm1', 'hi'], 2, 'provider/model'],
    ['an unknown wire', ['--wire', 'nope', 'hi'], 1, 'nope'],
    ['a number that is none', ['--max-tokens', 'many', 'hi'], 2, '--max-tokens'],
    ['a setting that is none', ['--set', 'x', 'hi'], 2, 'name=value'],
    ['a setting that every object has', ['--set', '__proto__.x=1', 'hi'], 2, '--set'],
    ['an address that is none', ['--base-url', 'ftp://x', 'hi'], 2, '--base-url'],
    ['tools that are missing', ['--tools', '/nowhere.json', 'hi'], 2, "doesn't exist"],
    ['an image that is missing', ['--image', '/nowhere.png', 'hi'], 2, "doesn't exist"],
    ['nothing to ask', [], 2, 'nothing to ask'],
    ['two outputs at once', ['--json', '--events', 'hi'], 2, 'exclude'],
    ['an option with a typing error', ['--modle', 'x', 'hi'], 2, 'did you mean --model?'],
    ['a key on the command line', ['--api-key', 'x', 'hi'], 2, 'unknown option'],
    ['protocols that are missing', ['--protocols', '/nowhere', 'hi'], 1, '/nowhere'],
  ])('with %s', async (_name, args, status, words) => {
    const { chat } = await setup(says(answer))
    const ran = await chat(args)
    expect(ran).toMatchObject({ status, stdout: '' })
    expect(ran.stderr).toContain(words)
    expect(ran.stderr).toMatch(sentence)
  })

  it('with no model named, where a key is set and so another one was meant', async () => {
    const ran = await modelwire(['chat', 'hi'], { env: { MISTRAL_API_KEY: 'sk-none' } })
    expect(ran.status).toBe(2)
    expect(ran.stderr).toContain('MODELWIRE_MODEL')
  })

  it('with a host that nobody answers at', async () => {
    const protocols = folder({ 'demo.yaml': demo('http://127.0.0.1:9') })
    const ran = await modelwire(['chat', '-m', 'demo/m1', '--protocols', protocols, '--timeout', '3000', 'hi'], {
      env: { DEMO_KEY: canary },
    })
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^error: .*127\.0\.0\.1:9/)
    expect(ran.stderr).not.toContain('    at ')
  })

  it.each([
    ['that is cut', Buffer.concat([Buffer.from(head()), chunk(sse({ text: 'half' })), Buffer.from(last)])],
    ['of a captive portal', whole('<html>log in</html>', 'text/html')],
    ['of broken JSON', streamed('{"text": "ha')],
    ['that refuses', whole('{"error":{"message":"no such model"}}', 'application/json', 404)],
    ['that echoes the key', whole(`{"error":{"message":"bad key ${canary}"}}`, 'application/json', 401)],
  ])('with a reply %s', async (_name, bytes) => {
    const { chat } = await setup(says(bytes))
    const ways = [[], ['--json'], ['--events'], ['-v'], ['--no-stream']]
    const all = await Promise.all(
      ways.map((how) => chat([...how, 'hi'], { env: { MODELWIRE_DEBUG: how[0] === '-v' ? '1' : '0' } })),
    )
    for (const [index, ran] of all.entries()) {
      expect(ran.status).toBe(1)
      expect(ran.stderr).toMatch(/^error: |\nerror: /)
      expect(ran.stdout + ran.stderr).not.toContain(canary)
      expect(ran.stderr.includes('    at ')).toBe(ways[index]?.[0] === '-v')
    }
  })

  it('with a time that ran out', async () => {
    const { chat } = await setup(() => undefined)
    const ran = await chat(['--timeout', '300', 'hi'])
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^error: .*\n {2}hint: .*300 ms/)
  })
})

describe('chat that is left', () => {
  /** Says something, then nothing more. */
  const endless: Script = (wire) => {
    wire.write(head())
    wire.write(chunk(sse({ text: 'so far' })))
  }

  it.each([[[]], [['--json']], [['--events']]])('by Ctrl-C gives 130 and closes the connection %j', async (how) => {
    const { chat, server } = await setup(endless)
    const ran = await chat([...how, 'hi'], {
      meanwhile: (child) => {
        const poll = setInterval(() => {
          if (server.requests.length === 0) return
          clearInterval(poll)
          setTimeout(() => child.kill('SIGINT'), 300)
        }, 20)
      },
    })
    expect(ran.status).toBe(130)
    expect(ran.stderr).toBe('')
    const lastLine = how.length > 0 ? jsonLines(ran.stdout).at(-1) : { error: { kind: 'cancelled' } } // the text alone says nothing of it
    expect(lastLine).toMatchObject({ error: { kind: 'cancelled' } })
    await server.closed
  })

  it('by who reads it (EPIPE) ends quietly', async () => {
    const { chat, server } = await setup(async (wire) => {
      wire.write(head())
      for (let count = 0; count < 500 && !wire.gone; count++) {
        wire.write(chunk(sse({ text: `${count} ` })))
        await wire.wait(5)
      }
    })
    const ran = await chat(['hi'], { meanwhile: (child) => child.stdout?.once('data', () => child.stdout?.destroy()) })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    await server.closed
  })
})

describe('embed', () => {
  async function vectors(): Promise<{ embed: (args: string[], how?: How) => Promise<Ran>; server: Served }> {
    const server = await serve((request, response) => {
      const { texts } = JSON.parse(request.body.toString()) as { texts: string[] }
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ vectors: texts.map((text) => [text.length, 0.5]) }))
    })
    const protocols = folder({ 'demo.yaml': demo(server.url) })
    return {
      server,
      embed: (args, how = {}) =>
        modelwire(['embed', '-m', 'demo/e1', '--protocols', protocols, ...args], { env: { DEMO_KEY: canary }, ...how }),
    }
  }

  it('gives a line a text', async () => {
    const { embed, server } = await vectors()
    const ran = await embed(['one', 'three', '--dimensions', '2'])
    expect(ran).toMatchObject({ status: 0, stdout: '[3,0.5]\n[5,0.5]\n' })
    expect(ran.stderr).toMatch(/^2 × 2/)
    expect(JSON.parse(server.requests[0]?.body.toString() ?? '')).toMatchObject({ model: 'e1', size: 2 })
  })

  it('reads lines, and writes a file', async () => {
    const { embed } = await vectors()
    const file = join(folder(), 'vectors.jsonl')
    const ran = await embed(['-o', file], { input: 'a\n\nbb\r\n' })
    expect(ran).toMatchObject({ status: 0, stdout: '' })
    expect(readFileSync(file, 'utf8')).toBe('[1,0.5]\n[2,0.5]\n')
  })

  it('--json prints the result', async () => {
    const { embed } = await vectors()
    const ran = await embed(['a', '--json'])
    expect(JSON.parse(ran.stdout)).toMatchObject({ embeddings: [[1, 0.5]] })
    expect(ran.stderr).toBe('')
  })

  it('without a text is wrong usage, and without the operation a failure', async () => {
    const { embed } = await vectors()
    expect(await embed([])).toMatchObject({ status: 2 })
    const chatter = folder({
      'chatter.yaml': 'id: chatter\nextends: demo\nbase: http://127.0.0.1:9\noperations: { embed: null }\n',
      'demo.yaml': demo('http://127.0.0.1:9'),
    })
    const ran = await modelwire(['embed', '-m', 'chatter/e1', '--protocols', chatter, 'a'])
    expect(ran.status).toBe(1)
    expect(ran.stderr).toContain('no operation "embed"')
  })
})
