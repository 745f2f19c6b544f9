import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { demo, hello, runtime } from '../tools/demo.ts'

/** The rules of a chat, run on one frame: what is said but start and finish. */
function said(rules: string, frame: unknown, define = ''): unknown[] {
  const manifest = `id: rules\nbase: http://127.0.0.1:1\n${define}operations:\n  chat:\n    post: /\n    decode: json\n    events: ${rules}\n`
  const { events } = runtime(manifest).replay(
    { response: { status: 200, headers: { 'content-type': 'application/json' }, bodyText: JSON.stringify(frame) } },
    { provider: 'rules' },
  )
  return events
    .filter((event) => event.type !== 'start' && event.type !== 'finish')
    .map((event) => (event.type === 'text' ? event.delta : event))
}

describe('rules', () => {
  it.each<[string, string, unknown, unknown[]]>([
    [
      'every one that matches speaks, in the order of the file',
      '{ a: { emit: { type: text, delta: $.a } }, b: { emit: { type: text, delta: $.b } }, c: { when: { a: "1" }, emit: { type: text, delta: "c" } } }',
      { b: '2', a: '1' },
      ['1', '2', 'c'],
    ],
    ['`when` looks at the frame', '{ a: { when: { type: x }, emit: { type: text, delta: $.a } } }', { type: 'y', a: '1' }, []],
    ['`each` goes through a list', '{ a: { each: $.l, emit: { type: text, delta: $ } } }', { l: ['a', 'b'] }, ['a', 'b']],
    ['`each` of a value is that value', '{ a: { each: $.l, emit: { type: text, delta: $ } } }', { l: 'a' }, ['a']],
    ['`each` of nothing is silence', '{ a: { each: $.l, emit: { type: text, delta: "x" } } }', {}, []],
    [
      '`where` looks at the item',
      '{ a: { each: $.l, where: { ok: true }, emit: { type: text, delta: $.t } } }',
      { l: [{ ok: true, t: 'a' }, { t: 'b' }] },
      ['a'],
    ],
    [
      '`where` alone looks at the frame',
      '{ a: { where: { ok: true }, emit: { type: text, delta: $.t } } }',
      { ok: true, t: 'a' },
      ['a'],
    ],
    [
      'nested rules run on the item',
      '{ a: { each: $.l, events: { b: { each: $.m, emit: { type: text, delta: $ } } } } }',
      { l: [{ m: ['a', 'b'] }, { m: 'c' }] },
      ['a', 'b', 'c'],
    ],
    [
      '`with` is handed down',
      '{ a: { each: $.l, with: { choice: $.i }, events: { b: { each: $.m, emit: { type: reasoning, delta: $ } } } } }',
      { l: [{ i: 1, m: 'a' }] },
      [{ type: 'reasoning', delta: 'a', choice: 1 }],
    ],
    [
      'a list of emits',
      '{ a: { emit: [{ type: text, delta: $.a }, { type: text, delta: $.b }] } }',
      { a: '1', b: '2' },
      ['1', '2'],
    ],
    [
      'emits before nested',
      '{ a: { emit: { type: text, delta: first }, events: { b: { emit: { type: text, delta: second } } } } }',
      {},
      ['first', 'second'],
    ],
    [
      'many of one literal are looked up',
      `{ ${['a', 'b', 'c', 'd'].map((name) => `${name}: { when: { type: ${name} }, emit: { type: text, delta: ${name} } }`).join(', ')}, all: { emit: { type: text, delta: "*" } }, second: { when: { type: b, x: 1 }, emit: { type: text, delta: B } } }`,
      { type: 'b', x: 1 },
      ['b', '*', 'B'],
    ],
    ['a text of something else isn’t a text', '{ a: { emit: { type: text, delta: $.a } } }', { a: { b: 1 } }, []],
  ])('%s', (_, rules, frame, expected) => {
    expect(said(rules, frame)).toEqual(expected)
  })

  it('a fragment brings its rules in, and own names win', () => {
    const define = 'define: { both: { a: { emit: { type: text, delta: theirs } }, b: { emit: { type: text, delta: b } } } }\n'
    expect(
      said('{ $use: both, a: { emit: { type: text, delta: ours } }, c: { emit: { type: text, delta: c } } }', {}, define).sort(),
    ).toEqual(['b', 'c', 'ours'])
    expect(said('{ $use: both, a: null }', {}, define)).toEqual(['b'])
  })

  it.each([
    ['an event that isn’t one', '{ a: { emit: { type: shout, delta: $.a } } }'],
    ['a field that isn’t one', '{ a: { emit: { type: text, loud: $.a } } }'],
    ['a key that isn’t one', '{ a: { whenever: 1, emit: { type: text, delta: $.a } } }'],
    ['a rule that says nothing', '{ a: { when: { x: 1 } } }'],
    ['a rule that is none', '{ a: 5 }'],
    ['a fragment that isn’t there', '{ $use: nope }'],
  ])('%s is refused when the manifest loads, with its line', async (_, rules) => {
    const manifest = `id: demo\nbase: http://127.0.0.1:1\noperations:\n  chat:\n    post: /\n    events: ${rules}\n`
    expect(await failureOf(runtime(manifest).chat(hello))).toMatchObject({
      kind: 'manifest',
      where: expect.stringMatching(/demo\.yaml:\d+:\d+/) as string,
    })
  })

  it('`select` takes each frame out of its wrapper', () => {
    const wrapped = demo('http://127.0.0.1:1').replace('    events:', '    select: $.bytes | unbase64 | parse\n    events:')
    const pack = (frame: unknown): string =>
      `data: ${JSON.stringify({ bytes: Buffer.from(JSON.stringify(frame)).toString('base64') })}\n\n`
    const bodyText = `${pack({ text: 'a' })}data: {"other":1}\n\n${pack({ text: 'b', stop: 'done' })}`
    const { result } = runtime(wrapped).replay(
      { response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText } },
      { provider: 'demo' },
    )
    expect(result).toMatchObject({ text: 'ab', finishReason: 'stop' })
  })

  it('`tag` puts the event’s name into its frame, and nothing over what is there', () => {
    const tagged = demo('http://127.0.0.1:1')
      .replace('{ sse: { until: "[END]" } }', '{ sse: { until: "[END]", tag: kind } }')
      .replace('text: { emit', 'text: { when: { kind: [word, own] }, emit')
    const bodyText =
      'event: word\ndata: {"text":"a"}\n\nevent: noise\ndata: {"text":"no"}\n\nevent: noise\ndata: {"kind":"own","text":"b"}\n\ndata: {"text":"no"}\n\ndata: [END]\n\n'
    expect(
      runtime(tagged).replay(
        { response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText } },
        { provider: 'demo' },
      ).result.text,
    ).toBe('ab')
  })

  it('`tag` tells events apart that are otherwise alike, in the midst of many', () => {
    const tagged = demo('http://127.0.0.1:1')
      .replace('{ sse: { until: "[END]" } }', '{ sse: { until: "[END]", tag: kind } }')
      .replace('text: { emit', 'text: { when: { kind: word }, emit')
    const spoken = Array.from({ length: 40 }, (_, n) => ({ name: n % 10 > 7 ? 'noise' : 'word', text: `piece ${n} ` }))
    const bodyText = `${spoken.map(({ name, text }) => `event: ${name}\ndata: ${JSON.stringify({ id: 'r-1', model: 'm-1', text })}\n\n`).join('')}data: [END]\n\n`
    const exchange = { response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText } }
    const words = spoken.filter(({ name }) => name === 'word').map(({ text }) => text)
    expect(runtime(tagged).replay(exchange, { provider: 'demo' }).result.text).toBe(words.join(''))
  })
})
