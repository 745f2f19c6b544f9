import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { demo, sse } from '../tools/demo.ts'
import { folder, jsonLines, modelwire, type Ran } from './run.ts'

const headers = { 'content-type': 'text/event-stream' }
const body = sse(
  { id: 'r1', model: 'm1' },
  { text: 'It is ' },
  { text: 'blue ☃.' },
  { stop: 'done' },
  { sum: { in: 5, out: 3 } },
  '[END]',
)
const right = {
  id: 'right',
  api: 'demo.chat',
  provider: 'demo',
  request: { body: { model: 'm1', stream: true } },
  response: { status: 200, headers, bodyText: body },
  expected: { text: 'It is blue ☃.', toolCalls: [], usage: { inputTokens: 5, outputTokens: 3 }, finishReason: 'done' },
}
const wrong = { ...right, id: 'wrong', expected: { ...right.expected, text: 'It is green.' } }
const refused = {
  ...right,
  id: 'refused',
  response: {
    status: 400,
    headers: { 'content-type': 'application/json' },
    bodyText: '{"error":{"message":"too long","code":"too_long"}}',
  },
  expected: { error: { status: 400, message: 'too long' } },
}
const foreign = { ...right, id: 'foreign', api: 'other.chat' }

const mapping = '- { api: demo.chat, provider: [demo, twin], use: demo, operation: chat }\n'

function test(exchanges: Record<string, unknown>, args: string[], map: string | undefined = mapping): Promise<Ran> {
  const path = folder({ 'demo.yaml': demo('http://127.0.0.1:9') })
  const recordings = folder(map === '' ? {} : { 'recordings.yaml': map })
  mkdirSync(join(recordings, 'deep'))
  for (const [name, data] of Object.entries(exchanges))
    writeFileSync(join(recordings, 'deep', name), typeof data === 'string' ? data : JSON.stringify(data))
  return modelwire(['test', '--recordings', recordings, '--protocols', path, ...args], { cwd: path })
}

describe('test', () => {
  it('counts what is the same, and skips what no row reads', async () => {
    const ran = await test({ 'a.json': right, 'b.json': refused, 'c.json': foreign, 'index.json': [{ file: 'a.json' }] }, [])
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(/^manifest +same +differ +exchanges\ndemo +2 +0 +2\n$/)
    expect(ran.stderr).toBe('2 of 2 exchanges: all the same; 1 skipped: no row says who reads them\n')
  })

  it('shows what differs, and fails', async () => {
    const ran = await test({ 'a.json': right, 'b.json': wrong }, [])
    expect(ran.status).toBe(1)
    expect(ran.stdout).toContain('differs wrong demo\n  text\n    expected "It is green."\n    got      "It is blue ☃."\n')
    expect(ran.stdout).toMatch(/^demo +1 +1 +2$/m)
  })

  it('--json prints a line an exchange', async () => {
    const ran = await test({ 'a.json': right, 'b.json': wrong }, ['--json'])
    expect(ran.status).toBe(1)
    const lines = jsonLines(ran.stdout)
    expect(lines.map((line) => Object.keys(line))).toEqual([1, 2].map(() => ['id', 'ok', 'expected', 'actual', 'differences']))
    expect(lines).toMatchObject([
      { id: 'right', ok: true, actual: { text: 'It is blue ☃.', finishReason: 'stop' }, differences: [] },
      { id: 'wrong', ok: false, differences: [{ field: 'text', expected: 'It is green.', actual: 'It is blue ☃.' }] },
    ])
  })

  it.each([['3'], ['every']])('--cut %s gives the same', async (cut) => {
    expect(await test({ 'a.json': right, 'b.json': refused }, ['--cut', cut])).toMatchObject({ status: 0 })
  })

  it('takes the reader from the exchange itself, and another mapping by --map', async () => {
    const { api: _api, ...own } = right
    expect(await test({ 'a.json': { ...own, use: 'demo' } }, [], '')).toMatchObject({ status: 0 })
    const map = join(folder({ 'map.yaml': '- { api: other.chat, use: demo }\n' }), 'map.yaml')
    const ran = await test({ 'a.json': right, 'c.json': foreign }, ['--map', map])
    expect(ran.stderr).toContain('1 of 1 exchanges: all the same; 1 skipped')
  })

  it('takes the ids that were asked for', async () => {
    expect((await test({ 'a.json': right }, ['demo'])).status).toBe(0)
    const nobody = await test({ 'a.json': right }, ['dmeo'])
    expect(nobody.status).toBe(2)
    expect(nobody.stderr).toContain('did you mean "demo"?')
  })

  it('says of an exchange without expectations whether it can be read', async () => {
    const { expected: _, ...open } = right
    expect((await test({ 'a.json': open }, [])).status).toBe(0)
    const cut = { ...open, response: { ...open.response, bodyText: body.slice(0, 60) } }
    const ran = await test({ 'a.json': cut }, ['--json'])
    expect(ran.status).toBe(1)
    expect(jsonLines(ran.stdout)[0]).toMatchObject({
      ok: false,
      expected: null,
      differences: [{ field: 'error', actual: { kind: 'truncated' } }],
    })
  })

  it('tells a file that is broken, and a manifest that is missing', async () => {
    const broken = await test({ 'a.json': right, 'b.json': '{"response":', 'c.json': { response: { status: 200 } } }, ['--json'])
    expect(broken.status).toBe(1)
    expect(jsonLines(broken.stdout).filter(({ ok }) => ok === false)).toHaveLength(2)
    const missing = await test({ 'a.json': right }, [], '- { api: demo.chat, use: nobody }\n')
    expect(missing.status).toBe(1)
    expect(missing.stdout).toContain('nobody')
  })

  it.each([
    ['no such folder', ['--recordings', '/nowhere']],
    ['a file for a folder', ['--recordings', fileURLToPath(import.meta.url)]],
    ['no folder at all', []],
    ['a cut that is none', ['--recordings', '.', '--cut', '0']],
    ['an empty folder', ['--recordings', '.']],
    ['a mapping that is none', ['--recordings', '.', '--map', 'map.yaml']],
  ])('is wrong usage with %s', async (_name, args) => {
    const ran = await modelwire(['test', ...args], { cwd: folder({ 'map.yaml': 'use: demo' }) })
    expect(ran).toMatchObject({ status: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^error: /)
  })

  it("replays the project's own recordings", async () => {
    const ran = await modelwire(['test', '--cut', 'every'], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
    expect(ran.stderr).toMatch(/all the same/)
    expect(ran.status).toBe(0)
  }, 60_000)
})
