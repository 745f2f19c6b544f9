import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canary, chunk, demo, head, last, sse, streamed } from '../tools/demo.ts'
import { type Script, type Served, serveBytes } from '../tools/server.ts'
import { environment, folder, main } from './run.ts'

/** `script` of util-linux gives a command a terminal. */
const script = '/usr/bin/script'
const hasTerminal = process.platform === 'linux' && existsSync(script)

interface Terminal {
  server: Served
  type: (text: string) => void
  /** Resolves when the screen shows it, after what was waited for before. */
  shows: (words: string) => Promise<void>
  screen: () => string
  status: Promise<number | null>
}

async function terminal(reply: Script, args: string[] = [], env: Record<string, string> = {}): Promise<Terminal> {
  const server = await serveBytes(reply)
  const protocols = folder({ 'demo.yaml': demo(server.url) })
  const command = [process.execPath, main, 'chat', '-m', 'demo/m1', '--protocols', protocols, ...args]
    .map((word) => `'${word}'`)
    .join(' ')
  const child: ChildProcess = spawn(script, ['-qec', command, '/dev/null'], {
    env: environment({ DEMO_KEY: canary, TERM: 'xterm', ...env }),
    stdio: 'pipe',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let screen = ''
  let seen = 0
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (screen += text))
  child.stdin?.on('error', () => undefined)
  const shows = async (words: string): Promise<void> => {
    for (const end = Date.now() + 8_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const at = screen.indexOf(words, seen)
      if (at < 0) continue
      seen = at + words.length
      return
    }
    throw new Error(
      `${JSON.stringify(words)} isn't shown after ${JSON.stringify(screen.slice(0, seen))}, but ${JSON.stringify(screen.slice(seen))}`,
    )
  }
  return {
    server,
    type: (text) => void child.stdin?.write(text),
    shows,
    screen: () => screen,
    status: new Promise((resolve) => child.on('close', resolve)),
  }
}

const answers =
  (...texts: string[]): Script =>
  (wire, _request, count) =>
    void wire.write(streamed({ text: texts[count - 1] ?? 'so what' }, { stop: 'done' }, { sum: { in: count, out: 2 } }, '[END]'))

const endless: Script = (wire, _request, count) => {
  if (count > 1) return void wire.write(streamed({ text: 'again' }, { stop: 'done' }, '[END]'))
  wire.write(head())
  wire.write(chunk(sse({ text: 'half an answer' })))
}

const asked = ({ server }: Terminal): unknown =>
  (JSON.parse(server.requests.at(-1)?.body.toString() ?? '{}') as { messages?: unknown }).messages

describe.skipIf(!hasTerminal)('a conversation on a terminal', () => {
  it('remembers what was said', async () => {
    const talk = await terminal(answers('hello you', 'as I said'))
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('hello you')
    await talk.shows('1 tokens in')
    await talk.shows('› ')
    talk.type('what?\r')
    await talk.shows('as I said')
    expect(asked(talk)).toEqual([
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'assistant', parts: [{ text: 'hello you' }] },
      { role: 'user', parts: [{ text: 'what?' }] },
    ])
    await talk.shows('› ')
    talk.type('/exit\r')
    expect(await talk.status).toBe(0)
  })

  it('obeys its commands', async () => {
    const talk = await terminal(answers('one', 'two'))
    await talk.shows('› ')
    talk.type('/help\r')
    await talk.shows('/system [text]')
    await talk.shows('› ')
    talk.type('/clera\r')
    await talk.shows('did you mean "/clear"?')
    await talk.shows('› ')
    talk.type('/system Be brief\r')
    await talk.shows('› ')
    talk.type('/model nobody/x\r')
    await talk.shows('error:')
    await talk.shows('› ')
    talk.type('/model demo/m2\r')
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('one')
    await talk.shows('› ')
    talk.type('/clear\r')
    await talk.shows('forgotten')
    await talk.shows('› ')
    talk.type('hi again\r')
    await talk.shows('two')
    expect(JSON.parse(talk.server.requests.at(-1)?.body.toString() ?? '')).toMatchObject({
      model: 'm2',
      system: 'Be brief',
      messages: [{ parts: [{ text: 'hi again' }] }],
    })
    await talk.shows('› ')
    talk.type('\u0004')
    expect(await talk.status).toBe(0)
  })

  it('Ctrl-C cancels the answer, and a second one leaves with 130', async () => {
    const talk = await terminal(endless)
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('half an answer')
    talk.type('\u0003')
    await talk.shows('cancelled')
    await talk.server.closed
    await talk.shows('› ')
    talk.type('\u0003')
    expect(await talk.status).toBe(130)
  })

  it('what was said before Ctrl-C stays said', async () => {
    const talk = await terminal(endless)
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('half an answer')
    talk.type('\u0003')
    await talk.shows('cancelled')
    await talk.shows('› ')
    talk.type('go on\r')
    await talk.shows('again')
    expect(asked(talk)).toMatchObject([
      { parts: [{ text: 'hi' }] },
      { role: 'assistant', parts: [{ text: 'half an answer' }] },
      { parts: [{ text: 'go on' }] },
    ])
  })

  it('goes on after a failure, without the question that failed', async () => {
    const talk = await terminal(
      (wire, _request, count) =>
        void wire.write(
          count === 1
            ? streamed({ error: { message: 'it fell over', code: 'too_long' } })
            : streamed({ text: 'up again' }, { stop: 'done' }, '[END]'),
        ),
    )
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('it fell over')
    await talk.shows('› ')
    talk.type('once more\r')
    await talk.shows('up again')
    expect(asked(talk)).toEqual([{ role: 'user', parts: [{ text: 'once more' }] }])
  })

  it('takes lines that are pasted, or end in a backslash, as one message', async () => {
    const talk = await terminal(answers('one', 'two'))
    await talk.shows('› ')
    talk.type('first\\\r')
    await talk.shows('… ')
    talk.type('second\r')
    await talk.shows('one')
    expect(asked(talk)).toMatchObject([{ parts: [{ text: 'first\nsecond' }] }])
    await talk.shows('› ')
    talk.type('third\rfourth\r')
    await talk.shows('two')
    expect(asked(talk)).toMatchObject([{}, {}, { parts: [{ text: 'third\nfourth' }] }])
  })

  it('shows nothing of the model that would reach the terminal itself', async () => {
    const talk = await terminal(
      (wire) => {
        wire.write(head())
        for (const text of ['safe \u001b]0;ow', 'ned\u0007and \u001b[', '2Jsound\u0007'])
          wire.write(chunk(sse({ thought: `\u001b[8mhm${text}` }, { text })))
        wire.write(`${chunk(sse({ stop: 'done' }, '[END]')).toString()}${last}`)
      },
      ['hi'],
      { NO_COLOR: '1' },
    )
    expect(await talk.status).toBe(0)
    expect(talk.screen()).toContain('safe ')
    expect(talk.screen().replaceAll(/\s+/g, ' ')).toContain('sound')
    expect(talk.screen()).not.toContain('\u001b')
    expect(talk.screen()).not.toContain('\u0007')
    expect(talk.screen()).not.toContain('owned')
  })

  it('tells an unknown provider and a missing key at once', async () => {
    const unknown = await terminal(answers(), ['-m', 'dmeo/x'])
    await unknown.shows('did you mean "demo"?')
    expect(await unknown.status).toBe(1)
    const talk = await terminal(answers(), [], { DEMO_KEY: '' })
    await talk.shows('› ')
    talk.type('hi\r')
    await talk.shows('the API key for "demo" is missing')
    await talk.shows('› ')
  })
})
