import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canary, demo } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'
import { hangsAfter, outputSchema, right, says, wrong } from '../tasks/answers.ts'
import { folder, type How, modelwire } from './run.ts'

const env = { DEMO_KEY: canary }

/** A folder with a manifest for this server, and these files. */
function place(url: string, files: Record<string, string> = {}): string {
  return folder({ 'demo.yaml': demo(url), 'schema.json': JSON.stringify(outputSchema), ...files })
}

const infer = (cwd: string, args: string[], how: How = {}) =>
  modelwire(['infer', ...args, '-m', 'demo/m1', '--protocols', 'demo.yaml'], { cwd, env, ...how })

const sent = (body: Buffer | undefined) =>
  JSON.parse(body?.toString() ?? '') as { system: string; messages: { parts: { text: string }[] }[] }

describe('infer', () => {
  it('does a task from its command line and prints the result alone', async () => {
    const server = await serveBytes(says([right]))
    const cwd = place(server.url)
    const fields = ['--set', 'instruction=Count the words.', '--set', 'data=["one two","three"]']
    const ran = await infer(cwd, ['custom', ...fields, '--schema', 'schema.json'])
    expect([ran.stderr, ran.status]).toEqual(['', 0])
    expect(JSON.parse(ran.stdout)).toEqual({ counts: [2, 1] })
    const { system, messages } = sent(server.requests[0]?.body)
    expect(system).toContain('Count the words.')
    expect(messages[0]?.parts.at(-1)?.text.split('\n')[1]).toBe('["one two","three"]')
  })

  it.each([
    ['JSON', 'segments.json', '{"segments":[{"start":0,"end":2,"text":"Hi"}]}'],
    ['YAML', 'segments.yaml', 'segments:\n  - { start: 0, end: 2, text: Hi }\n'],
  ])('takes its input from a file and from a pipe, as %s', async (_, name, text) => {
    const cue = '{"cues":[{"start":0,"end":2,"lines":["Hi"]}]}'
    const server = await serveBytes(says([cue]))
    const cwd = place(server.url, { [name]: text })
    const read = await infer(cwd, ['captions', '--input', name])
    const piped = await infer(cwd, ['captions', '--input', '-', '--set', 'lineLength=20'], { input: text })
    expect([read.stderr, read.status, piped.stderr, piped.status]).toEqual(['', 0, '', 0])
    expect([read.stdout, piped.stdout].map((out) => JSON.parse(out) as unknown)).toEqual([JSON.parse(cue), JSON.parse(cue)])
    const systems = server.requests.map(({ body }) => sent(body).system)
    expect(systems[0]).toContain('A line has 42 characters at most.')
    expect(systems[1]).toContain('A line has 20 characters at most.')
  })

  it('prints usage, timing and warnings with --json', async () => {
    const server = await serveBytes(says([wrong, right]))
    const ran = await infer(place(server.url), ['custom', '--set', 'instruction=x', '--schema', 'schema.json', '--json'])
    expect(ran.status).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({
      modelId: 'demo/m1',
      result: { counts: [2, 1] },
      usage: { inputTokens: 20, outputTokens: 10 },
      timing: { queuedMs: expect.any(Number), totalMs: expect.any(Number) },
      warnings: [],
    })
  })

  it.each([
    ['a list', '["a"]', 'should hold a map, got a list'],
    ['a text', '"words"', 'should hold a map, got "words"'],
    ['plain words', 'just words', 'should hold a map, got "just words"'],
    ['a number', '5', 'should hold a map, got 5'],
    ['null', 'null', 'should hold a map, got null'],
    ['what is neither JSON nor YAML', '{"a": [', 'is neither JSON nor YAML'],
  ])('refuses %s as its input, from a file and from a pipe, and says what it should be', async (_, text, message) => {
    const cwd = place('http://127.0.0.1:9', { 'input.json': text, 'input.yaml': text })
    const piped = await infer(cwd, ['custom', '--input', '-'], { input: text })
    const read = await infer(cwd, ['custom', '--input', 'input.yaml'])
    expect(piped.stderr).toContain(`error: standard input ${message}`)
    expect(read.stderr).toContain(`error: the input input.yaml ${message}`)
    for (const ran of [piped, read]) {
      expect([ran.stdout, ran.status]).toEqual(['', 2])
      expect(ran.stderr).toContain('hint: the input is a map of fields')
      expect(ran.stderr).not.toContain('    at ')
    }
  })

  it('says so when standard input holds nothing, or a file isn’t there', async () => {
    const cwd = place('http://127.0.0.1:9')
    const empty = await infer(cwd, ['custom', '--input', '-'], { input: '' })
    expect([empty.status, empty.stderr]).toEqual([2, expect.stringContaining('error: standard input holds nothing')])
    const missing = await infer(cwd, ['custom', '--input', 'none.json'])
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining("the input none.json doesn't exist")])
  })

  it.each([
    ['a field that is missing', ['captions'], 'must have required property', 1],
    ['a field that the task hasn’t', ['custom', '--set', 'instruction=x', '--set', 'instuction=y'], 'instuction', 1],
    ['NaN in YAML', ['custom', '--input', 'nan.yaml'], "data.n is NaN, which JSON can't hold", 1],
    ['a task that nobody has', ['captoins'], 'did you mean "captions"?', 1],
    ['a schema that is none', ['custom', '--set', 'instruction=x', '--schema', 'bad.json'], "isn't a JSON Schema", 1],
    ['no time', ['custom', '--set', 'instruction=x', '--timeout', '0'], '1 or more', 2],
  ])('refuses %s with a sentence and a hint', async (_, args, message, status) => {
    const cwd = place('http://127.0.0.1:9', { 'nan.yaml': 'instruction: x\ndata: { n: .nan }\n', 'bad.json': '{"type":"thing"}' })
    const ran = await infer(cwd, args)
    expect([ran.stdout, ran.status]).toEqual(['', status])
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).not.toMatch(/ {4}at |defect/)
  })

  it('fails with the last answer’s fault when no answer fits', async () => {
    const server = await serveBytes(says([wrong]))
    const ran = await infer(place(server.url), ['custom', '--set', 'instruction=x', '--schema', 'schema.json'])
    expect([ran.stdout, ran.status]).toEqual(['', 1])
    expect(ran.stderr).toContain("the answer doesn't fit: counts.0 must be integer")
    expect(ran.stderr).toContain('output · demo · 2 attempts')
    expect(server.requests).toHaveLength(2)
  })

  it('ends with Ctrl-C, and lets go of the connection', async () => {
    const server = await serveBytes(hangsAfter([]))
    const ran = await infer(place(server.url), ['custom', '--set', 'instruction=x'], {
      meanwhile: (child) => {
        const watch = setInterval(() => {
          if (server.requests.length === 0) return
          clearInterval(watch)
          child.kill('SIGINT')
        }, 20)
        child.once('exit', () => clearInterval(watch))
      },
    })
    expect([ran.stdout, ran.status]).toEqual(['', 130])
    await server.closed
  })
})

const mine = readFileSync(new URL('../../protocols/tasks/custom.yaml', import.meta.url), 'utf8').replace('id: custom', 'id: mine')

describe('tasks', () => {
  it('lists those that come with the package with what they take', async () => {
    const ran = await modelwire(['tasks'])
    expect([ran.stderr, ran.status]).toEqual(['', 0])
    for (const words of [
      'task',
      'takes',
      'what it does',
      'highlight-detection',
      'segments',
      'lineLength?',
      'Follows an instruction',
    ])
      expect(ran.stdout).toContain(words)
  })

  it('lists those of a folder of protocols too, with their schemas as JSON', async () => {
    const cwd = folder()
    const inner = join(cwd, 'tasks')
    mkdirSync(inner)
    writeFileSync(join(inner, 'mine.yaml'), mine)
    const ran = await modelwire(['tasks', '--json', '--protocols', cwd])
    expect([ran.stderr, ran.status]).toEqual(['', 0])
    const kinds = JSON.parse(ran.stdout) as { id: string; input: object; output: object; file: string }[]
    expect(kinds).toHaveLength(10)
    expect(kinds.find(({ id }) => id === 'mine')).toMatchObject({
      input: { required: ['instruction'] },
      output: { type: 'object' },
      accepts: ['image', 'audio', 'video'],
      file: join(inner, 'mine.yaml'),
    })
  })

  it('says where a broken one is wrong', async () => {
    const cwd = folder()
    mkdirSync(join(cwd, 'tasks'))
    writeFileSync(join(cwd, 'tasks', 'mine.yaml'), mine.replace('$.instruction', '$.instuction'))
    const ran = await modelwire(['tasks', '--protocols', '.'], { cwd })
    expect([ran.stdout, ran.status]).toEqual(['', 1])
    expect(ran.stderr).toMatch(
      /tasks\/mine\.yaml:\d+:\d+: expected a field of the input, got "instuction"; did you mean "instruction"\?/,
    )
  })
})

describe('validate', () => {
  it('finds nothing wrong in a task that is right', async () => {
    const ran = await modelwire(['validate', 'mine.yaml'], { cwd: folder({ 'mine.yaml': mine }) })
    expect([ran.stderr, ran.stdout, ran.status]).toEqual(['', 'ok no mistakes in 1 manifest\n', 0])
  })

  it('finds every mistake of a task, with its place', async () => {
    const file = `id: bad
input:
  type: object
  properties:
    text: { type: string }
    count: { type: integer }
output: { type: object, required: [words], properties: { words: { type: array } } }
system:
  - "Count {$.count} words."
  - "The text is {$.text}."
prompt: { text: $.txet }
checks:
  - { each: "$.words[*", rising: [$.a], say: it rises }
examples:
  - { input: { text: 5 }, output: { words: [] } }
  - { input: { text: a }, output: {} }
`
    const ran = await modelwire(['validate', 'bad.yaml'], { cwd: folder({ 'bad.yaml': file }) })
    expect(ran.status).toBe(1)
    const lines = ran.stdout.split('\n').filter((line) => line.startsWith('bad.yaml:'))
    const found = (at: string) => lines.filter((line) => line.startsWith(`bad.yaml:${at}`)).join('\n')
    expect(found('10:')).toContain('expected a field that can hold no instructions, got "text"')
    expect(found('11:')).toContain('did you mean "text"?')
    expect(found('13:')).not.toBe('')
    expect(found('15:')).toContain('input: text must be string')
    expect(found('16:')).toContain('output: words must have required property')
    expect(found('9:')).toBe('')
    expect(ran.stderr).toBe('5 mistakes in 1 manifest\n')
  })

  it.each([
    ['a key that no task has', mine.replace('trusted:', 'trustd:'), 'did you mean "trusted"?'],
    ['no time for it', mine.replace('maxTokens: 4000', 'timeout: 0'), 'got the number 0: must be >= 1'],
    ['an input that is no schema', mine.replace('type: object\n  required', 'type: thing\n  required'), "isn't a JSON Schema"],
    ['no instructions', mine.replace('system:', 'sytem:'), 'did you mean "system"?'],
    ['what is no YAML', `${mine}\nsystem: [`, 'bad.yaml:'],
  ])('finds in a task %s', async (_, text, message) => {
    const ran = await modelwire(['validate', 'bad.yaml'], { cwd: folder({ 'bad.yaml': text }) })
    expect(ran.status).toBe(1)
    expect(ran.stdout).toMatch(/^bad\.yaml:\d+:\d+: /)
    expect(ran.stdout).toContain(message)
    expect(ran.stderr).toMatch(/^\d+ mistakes? in 1 manifest\n$/)
  })
})
