import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canary, chunk, demo, head, last, sse, streamed } from '../tools/demo.ts'
import { type Script, type Served, serveBytes } from '../tools/server.ts'
import { environment, folder, main } from './run.ts'

/** `script` of util-linux gives a command a terminal. */
const hasTerminal = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

interface Terminal {
  server: Served
  type: (text: string) => void
  /** Resolves when the screen shows it, after what was waited for before. */
  shows: (words: string) => Promise<void>
  screen: () => string
  status: Promise<number | null>
}

async function terminal(script: Script, args: string[] = [], env: Record<string, string> = {}): Promise<Terminal> {
  const server = await serveBytes(script)
  const protocols = folder({ 'demo.yaml': demo(server.url) })
  const command = [process.execPath, main, 'chat', '-m', 'demo/m1', '--protocols', protocols, ...args].map((word) => `'${word}'`).join(' ')
  const child: ChildProcess = spawn('script', ['-qec', command, '/dev/null'], { env: environment({ DEMO_KEY: canary, TERM: 'xterm', ...env }), stdio: 'pipe' })
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
    throw new Error(`${JSON.stringify(words)} isn't shown after ${JSON.stringify(screen.slice(0, seen))}, but ${JSON.stringify(screen.slice(seen))}`)
  }
  return { server, type: (text) => void child.stdin?.write(text), shows, screen: () => screen, status: new Promise((resolve) => child.on('close', resolve)) }
}

const answers = (...texts: string[]): Script => (wire, _request, count) => void wire.write(streamed({ text: texts[count - 1] ?? 'so what' }, { stop: 'done' }, { sum: { in: count, out: 2 } }, '[END]'))

const endless: Script = (wire, _request, count) => {
  if (count > 1) return void wire.write(streamed({ text: 'again' }, { stop: 'done' }, '[END]'))
  wire.write(head())
  wire.write(chunk(sse({ text: 'half an answer' })))
}

const asked = ({ server }: Terminal): unknown => (JSON.parse(server.requests.at(-1)?.body.toString() ?? '{}') as { messages?: unknown }).messages

describe.skipIf(!hasTerminal)('a conversation on a terminal', () => {
  it('remembers what was said', async () => {
    const it = await terminal(answers('hello you', 'as I said'))
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('hello you')
    await it.shows('1 tokens in')
    await it.shows('› ')
    it.type('what?\r')
    await it.shows('as I said')
    expect(asked(it)).toEqual([
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'assistant', parts: [{ text: 'hello you' }] },
      { role: 'user', parts: [{ text: 'what?' }] },
    ])
    await it.shows('› ')
    it.type('/exit\r')
    expect(await it.status).toBe(0)
  })

  it('obeys its commands', async () => {
    const it = await terminal(answers('one', 'two'))
    await it.shows('› ')
    it.type('/help\r')
    await it.shows('/system [text]')
    await it.shows('› ')
    it.type('/clera\r')
    await it.shows('did you mean "/clear"?')
    await it.shows('› ')
    it.type('/system Be brief\r')
    await it.shows('› ')
    it.type('/model nobody/x\r')
    await it.shows('error:')
    await it.shows('› ')
    it.type('/model demo/m2\r')
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('one')
    await it.shows('› ')
    it.type('/clear\r')
    await it.shows('forgotten')
    await it.shows('› ')
    it.type('hi again\r')
    await it.shows('two')
    expect(JSON.parse(it.server.requests.at(-1)?.body.toString() ?? '')).toMatchObject({ model: 'm2', system: 'Be brief', messages: [{ parts: [{ text: 'hi again' }] }] })
    await it.shows('› ')
    it.type('\u0004')
    expect(await it.status).toBe(0)
  })

  it('Ctrl-C cancels the answer, and a second one leaves with 130', async () => {
    const it = await terminal(endless)
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('half an answer')
    it.type('\u0003')
    await it.shows('cancelled')
    await it.server.closed
    await it.shows('› ')
    it.type('\u0003')
    expect(await it.status).toBe(130)
  })

  it('what was said before Ctrl-C stays said', async () => {
    const it = await terminal(endless)
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('half an answer')
    it.type('\u0003')
    await it.shows('cancelled')
    await it.shows('› ')
    it.type('go on\r')
    await it.shows('again')
    expect(asked(it)).toMatchObject([{ parts: [{ text: 'hi' }] }, { role: 'assistant', parts: [{ text: 'half an answer' }] }, { parts: [{ text: 'go on' }] }])
  })

  it('goes on after a failure, without the question that failed', async () => {
    const it = await terminal((wire, _request, count) => void wire.write(count === 1 ? streamed({ error: { message: 'it fell over', code: 'too_long' } }) : streamed({ text: 'up again' }, { stop: 'done' }, '[END]')))
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('it fell over')
    await it.shows('› ')
    it.type('once more\r')
    await it.shows('up again')
    expect(asked(it)).toEqual([{ role: 'user', parts: [{ text: 'once more' }] }])
  })

  it('takes lines that are pasted, or end in a backslash, as one message', async () => {
    const it = await terminal(answers('one', 'two'))
    await it.shows('› ')
    it.type('first\\\r')
    await it.shows('… ')
    it.type('second\r')
    await it.shows('one')
    expect(asked(it)).toMatchObject([{ parts: [{ text: 'first\nsecond' }] }])
    await it.shows('› ')
    it.type('third\rfourth\r')
    await it.shows('two')
    expect(asked(it)).toMatchObject([{}, {}, { parts: [{ text: 'third\nfourth' }] }])
  })

  it('shows nothing of the model that would reach the terminal itself', async () => {
    const it = await terminal(
      (wire) => {
        wire.write(head())
        for (const text of ['safe \u001b]0;ow', 'ned\u0007and \u001b[', '2Jsound\u0007']) wire.write(chunk(sse({ thought: `\u001b[8mhm${text}` }, { text })))
        wire.write(`${chunk(sse({ stop: 'done' }, '[END]')).toString()}${last}`)
      },
      ['hi'],
      { NO_COLOR: '1' },
    )
    expect(await it.status).toBe(0)
    expect(it.screen()).toContain('safe ')
    expect(it.screen().replaceAll(/\s+/g, ' ')).toContain('sound')
    expect(it.screen()).not.toContain('\u001b')
    expect(it.screen()).not.toContain('\u0007')
    expect(it.screen()).not.toContain('owned')
  })

  it('tells an unknown provider and a missing key at once', async () => {
    const unknown = await terminal(answers(), ['-m', 'dmeo/x'])
    await unknown.shows('did you mean "demo"?')
    expect(await unknown.status).toBe(1)
    const it = await terminal(answers(), [], { DEMO_KEY: '' })
    await it.shows('› ')
    it.type('hi\r')
    await it.shows('the API key for "demo" is missing')
    await it.shows('› ')
  })
})
