import { describe, expect, it } from 'vitest'
import { speak, speechRuntime } from '../tools/speak.ts'

const text = (delta: string, more: object = {}): object => ({ type: 'text', delta, ...more })
const finish = (raw: unknown, more: object = {}): object => ({ type: 'finish', raw, ...more })

describe('start', () => {
  it('comes once and first, filled in by what came before the first content', () => {
    const { events } = speak(speechRuntime(), [
      { type: 'start', id: 'r' },
      { type: 'start', id: 'other', model: 'm' },
      text('a'),
      { type: 'start', id: 'late' },
    ])
    expect(events.slice(0, 2)).toEqual([
      { type: 'start', id: 'r', model: 'm' },
      { type: 'text', delta: 'a' },
    ])
    expect(events.filter((event) => event.type === 'start')).toHaveLength(1)
  })

  it('is made where none comes, and passes over blank ids', () => {
    expect(speak(speechRuntime(), [{ type: 'start', id: '', model: '' }, text('a')]).events[0]).toEqual({ type: 'start' })
    expect(speak(speechRuntime(), [{ type: 'start', id: '' }, { type: 'start', id: 'r' }, text('a')]).events[0]).toEqual({
      type: 'start',
      id: 'r',
    })
    expect(speak(speechRuntime(), [finish('stop')]).events).toEqual([
      { type: 'start' },
      { type: 'finish', reason: 'stop', rawReason: 'stop' },
    ])
  })

  it('that comes late still reaches the result', () => {
    expect(speak(speechRuntime(), [text('a'), { type: 'start', id: 'late', model: 'm' }]).result).toMatchObject({ text: 'a' })
  })
})

describe('finish', () => {
  it.each<[string, unknown[], object]>([
    [
      'the last that isn’t blank counts',
      [finish('max'), text('a'), finish(''), finish(null)],
      { reason: 'length', rawReason: 'max' },
    ],
    ['said twice is told once', [finish('stop'), finish('max')], { reason: 'length', rawReason: 'max' }],
    ['a number is read as text', [finish(1)], { reason: 'stop', rawReason: '1' }],
    ['one that nobody knows is other', [finish('strange')], { reason: 'other', rawReason: 'strange' }],
    ['of the prototype is other', [finish('constructor')], { reason: 'other', rawReason: 'constructor' }],
    ['none, with the end as proof', [text('a')], { reason: 'stop' }],
  ])('%s', (_, says, expected) => {
    const finishes = speak(speechRuntime(), says).events.filter((event) => event.type === 'finish')
    expect(finishes).toEqual([{ type: 'finish', ...expected }])
  })

  it('is the last word but for usage, also when text comes after it', () => {
    const { events } = speak(speechRuntime(), [
      { type: 'usage', raw: { in: 1 } },
      finish('stop'),
      text('a'),
      { type: 'usage', raw: { in: 2 } },
    ])
    expect(events.map((event) => event.type)).toEqual(['start', 'text', 'finish', 'usage'])
  })
})

describe('usage', () => {
  it.each<[string, unknown[], unknown]>([
    [
      'the last replaces',
      [
        { type: 'usage', raw: { in: 1, out: 1 } },
        { type: 'usage', raw: { in: 5 } },
      ],
      { inputTokens: 5, raw: { in: 5 } },
    ],
    [
      'null doesn’t',
      [
        { type: 'usage', raw: { in: 1 } },
        { type: 'usage', raw: null },
      ],
      { inputTokens: 1, raw: { in: 1 } },
    ],
    [
      'merged, the later over the earlier',
      [
        { type: 'usage', raw: { in: 1, out: 1 } },
        { type: 'merged', raw: { out: 9, in: null } },
      ],
      { inputTokens: 1, outputTokens: 9, totalTokens: 10, raw: { in: 1, out: 9 } },
    ],
    [
      'what is unknown is absent, and 0 is 0',
      [{ type: 'usage', raw: { in: 0, out: '5' } }],
      { inputTokens: 0, raw: { in: 0, out: '5' } },
    ],
    ['none at all', [text('a')], {}],
  ])('%s', (_, says, expected) => {
    expect(speak(speechRuntime(), says).result.usage).toEqual(expected)
  })
})

describe('several choices', () => {
  const says = [
    text('a', { choice: 0 }),
    text('b', { choice: 1 }),
    text('A', { choice: 0 }),
    { type: 'tool', choice: 1, index: 0, id: 'c', name: 'f', delta: '{}' },
    finish('max', { choice: 1 }),
    finish('stop', { choice: 0 }),
    { type: 'usage', raw: { in: 1, out: 2 } },
  ]

  it('each has its own events, calls and one finish', () => {
    const { events, result } = speak(speechRuntime(), says, 2)
    expect(result.choices).toHaveLength(2)
    expect(result).toMatchObject({ text: 'aA', finishReason: 'stop', toolCalls: [] })
    expect(result.choices[1]).toMatchObject({ text: 'b', finishReason: 'length', toolCalls: [{ id: 'c', name: 'f' }] })
    expect(events.filter((event) => event.type === 'finish')).toEqual([
      { type: 'finish', choice: 0, reason: 'stop', rawReason: 'stop' },
      { type: 'finish', choice: 1, reason: 'length', rawReason: 'max' },
    ])
    expect(events.filter((event) => !('choice' in event)).map((event) => event.type)).toEqual(['start', 'usage'])
  })

  it('that nobody asked for are numbered from the second on', () => {
    const { events, result } = speak(speechRuntime(), says)
    expect(events.filter((event) => event.type === 'text').map((event) => ('choice' in event ? event.choice : undefined))).toEqual([
      undefined,
      1,
      undefined,
    ])
    expect(result.choices.map((choice) => choice.text)).toEqual(['aA', 'b'])
  })

  it('a choice that says nothing but its finish is there', () => {
    const { result } = speak(
      speechRuntime(),
      [text('a', { choice: 0 }), finish('stop', { choice: 0 }), finish('max', { choice: 1 })],
      2,
    )
    expect(result.choices.map((choice) => choice.finishReason)).toEqual(['stop', 'length'])
  })
})

describe('what the events add up to', () => {
  it('text and reasoning, in parts that can go back', () => {
    const { result } = speak(speechRuntime(), [
      { type: 'reasoning', delta: 'h' },
      { type: 'reasoning', delta: 'm' },
      { type: 'reasoning', signature: 'sig' },
      text('a'),
      text('b'),
      { type: 'tool', id: 'c', name: 'f', arguments: { x: 1 } },
      text('c'),
    ])
    expect(result).toMatchObject({ text: 'abc', reasoning: 'hm', finishReason: 'tool_calls' })
    expect(result.message).toEqual({
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'hm', signature: 'sig', provider: 'speech' },
        { type: 'text', text: 'ab' },
        { type: 'tool_call', id: 'c', name: 'f', arguments: { x: 1 } },
        { type: 'text', text: 'c' },
      ],
    })
  })

  it('blocks by their number, and texts with a signature apart from those without', () => {
    const { result } = speak(speechRuntime(), [
      text('a', { index: 0 }),
      text('b', { index: 0 }),
      text('c', { index: 1 }),
      { type: 'reasoning', delta: 'x', index: 2 },
      { type: 'reasoning', signature: 's', index: 2 },
    ])
    expect(result.message.content).toEqual([
      { type: 'text', text: 'ab' },
      { type: 'text', text: 'c' },
      { type: 'reasoning', text: 'x', signature: 's', provider: 'speech' },
    ])
    const signed = speak(speechRuntime(), [text('a'), text('', { signature: 's' }), text('b')]).result
    expect(signed.message.content).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: '', signature: 's', provider: 'speech' },
      { type: 'text', text: 'b' },
    ])
  })

  it('refusals, sources, files and raw blocks', () => {
    const { result } = speak(speechRuntime(), [
      { type: 'refusal', delta: 'I ' },
      { type: 'refusal', delta: 'won’t' },
      { type: 'source', url: 'https://x', title: 'X' },
      { type: 'file', mediaType: 'image/png', data: 'AP8Q' },
      { type: 'raw', data: { secret: 1 } },
    ])
    expect(result.refusal).toBe('I won’t')
    expect(result.sources).toEqual([{ url: 'https://x', title: 'X' }])
    expect(result.files?.[0]?.data).toEqual(Buffer.from('AP8Q', 'base64'))
    expect(result.message.content).toEqual([
      { type: 'image', mediaType: 'image/png', data: 'AP8Q' },
      { type: 'raw', provider: 'speech', data: { secret: 1 } },
    ])
  })

  it('an event all of whose payload is blank isn’t told', () => {
    const { events } = speak(speechRuntime(), [
      text(''),
      { type: 'reasoning', delta: '' },
      { type: 'refusal', delta: null },
      { type: 'source', url: '' },
      { type: 'raw', data: null },
      { type: 'tool', index: 0, id: '', name: '', delta: '' },
    ])
    expect(events.map((event) => event.type)).toEqual(['start', 'finish'])
  })
})

describe('thoughts between marks', () => {
  const split = (manifest: string): string =>
    manifest.replace('    events:', '    split: { text: { open: "<think>", close: "</think>", as: reasoning } }\n    events:')
  const tell = (pieces: string[]) =>
    speak(
      speechRuntime(split),
      pieces.map((piece) => text(piece)),
    ).result

  it.each<[string, string, string]>([
    ['<think>hm</think>yes', 'yes', 'hm'],
    ['before<think>hm</think>after', 'beforeafter', 'hm'],
    ['<think>a</think>b<think>c</think>d', 'bd', 'ac'],
    ['<think>never closed', '', 'never closed'],
    ['no mark < at <th all', 'no mark < at <th all', ''],
    ['<think></think>yes', 'yes', ''],
    ['</think>yes', '</think>yes', ''],
    ['a<<think>b<</think>c', 'a<c', 'b<'],
    ['<thi<think>x</thi</think>y', '<thiy', 'x</thi'],
    ['ends in <think', 'ends in <think', ''],
  ])('%s, whole and cut anywhere', (said, expected, thought) => {
    expect(tell([said])).toMatchObject({ text: expected, reasoning: thought })
    expect(tell([...said])).toMatchObject({ text: expected, reasoning: thought })
    for (let at = 1; at < said.length; at++)
      expect(tell([said.slice(0, at), said.slice(at)])).toMatchObject({ text: expected, reasoning: thought })
  })

  it('are kept apart for each choice', () => {
    const { result } = speak(
      speechRuntime(split),
      [
        text('<thi', { choice: 0 }),
        text('b<think>', { choice: 1 }),
        text('nk>x</think>y', { choice: 0 }),
        text('z', { choice: 1 }),
      ],
      2,
    )
    expect(result.choices.map((choice) => [choice.text, choice.reasoning])).toEqual([
      ['y', 'x'],
      ['b', 'z'],
    ])
  })
})
