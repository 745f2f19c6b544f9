import { describe, expect, it } from 'vitest'
import type { Event } from '../../src/index.ts'
import { speak, speechRuntime } from '../tools/speak.ts'

const tool = (fields: object): object => ({ type: 'tool', ...fields })
const calls = (says: unknown[]) => speak(speechRuntime(), says).result.toolCalls
const events = (says: unknown[]): Event[] => speak(speechRuntime(), says).events

describe('a tool call', () => {
  it.each<[string, unknown[], unknown[]]>([
    [
      'in pieces',
      [tool({ index: 0, id: 'a', name: 'f' }), tool({ index: 0, delta: '{"x"' }), tool({ index: 0, delta: ':1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 }, argumentsText: '{"x":1}' }],
    ],
    [
      'whole, as text',
      [tool({ index: 0, id: 'a', name: 'f', arguments: '{"x":1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 }, argumentsText: '{"x":1}' }],
    ],
    [
      'whole, as a map',
      [tool({ id: 'a', name: 'f', arguments: { x: 1 } })],
      [{ id: 'a', name: 'f', arguments: { x: 1 }, argumentsText: '{"x":1}' }],
    ],
    [
      'whole, in one delta',
      [tool({ index: 0, id: 'a', name: 'f', delta: '{"x":1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'whose delta is a map',
      [tool({ index: 0, id: 'a', name: 'f', delta: { x: 1 } })],
      [{ id: 'a', name: 'f', arguments: { x: 1 }, argumentsText: '{"x":1}' }],
    ],
    [
      'that is whole, and another without an id at its index',
      [tool({ index: 0, name: 'f', arguments: { x: 1 } }), tool({ index: 0, name: 'g', arguments: { y: 2 } })],
      [
        { name: 'f', arguments: { x: 1 } },
        { name: 'g', arguments: { y: 2 } },
      ],
    ],
    [
      'with a name that comes late',
      [tool({ index: 0, id: 'a' }), tool({ index: 0, delta: '{"x":' }), tool({ index: 0, name: 'f', delta: '1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'with an id that comes late',
      [tool({ index: 0, name: 'f' }), tool({ index: 0, delta: '{"x":' }), tool({ index: 0, id: 'a', delta: '1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'with a name that is first empty',
      [tool({ index: 0, id: 'a', name: '' }), tool({ index: 0, name: 'f', delta: '{}' })],
      [{ id: 'a', name: 'f', arguments: {} }],
    ],
    [
      'with id and name that are empty or null later',
      [
        tool({ index: 0, id: 'a', name: 'f' }),
        tool({ index: 0, id: '', name: '', delta: '{"x":' }),
        tool({ index: 0, id: null, name: null, delta: '1}' }),
      ],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'with id and name repeated on each piece',
      [tool({ index: 0, id: 'a', name: 'f', delta: '{"x":' }), tool({ index: 0, id: 'a', name: 'f', delta: '1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'without an index',
      [tool({ id: 'a', name: 'f', delta: '{"x":' }), tool({ delta: '1}' })],
      [{ id: 'a', name: 'f', arguments: { x: 1 } }],
    ],
    [
      'without an index, two by their ids',
      [
        tool({ id: 'a', name: 'f', delta: '{"x":' }),
        tool({ id: 'b', name: 'g', delta: '{"y":' }),
        tool({ id: 'a', delta: '1}' }),
        tool({ id: 'b', delta: '2}' }),
      ],
      [
        { id: 'a', name: 'f', arguments: { x: 1 } },
        { id: 'b', name: 'g', arguments: { y: 2 } },
      ],
    ],
    [
      'without index and id: a name opens one',
      [tool({ name: 'f', delta: '{"x":' }), tool({ delta: '1}' }), tool({ name: 'g', delta: '{}' })],
      [
        { name: 'f', arguments: { x: 1 } },
        { name: 'g', arguments: {} },
      ],
    ],
    [
      'several in one frame',
      [[tool({ index: 0, id: 'a', name: 'f', delta: '{}' }), tool({ index: 1, id: 'b', name: 'g', delta: '{"y":2}' })]],
      [
        { id: 'a', name: 'f', arguments: {} },
        { id: 'b', name: 'g', arguments: { y: 2 } },
      ],
    ],
    [
      'several under one index: another id is another call',
      [tool({ index: 0, id: 'a', name: 'f', delta: '{}' }), tool({ index: 0, id: 'b', name: 'f', delta: '{}' })],
      [
        { id: 'a', name: 'f' },
        { id: 'b', name: 'f' },
      ],
    ],
    ['whose index starts at 1', [tool({ index: 1, id: 'a', name: 'f', delta: '{}' })], [{ id: 'a', name: 'f', arguments: {} }]],
    ['without arguments', [tool({ index: 0, id: 'a', name: 'f' })], [{ id: 'a', name: 'f', arguments: {}, argumentsText: '{}' }]],
    [
      'with arguments that are empty',
      [tool({ index: 0, id: 'a', name: 'f', delta: '' }), tool({ index: 0, delta: '' })],
      [{ arguments: {}, argumentsText: '{}' }],
    ],
    ['with arguments "null"', [tool({ index: 0, id: 'a', name: 'f', delta: 'null' })], [{ arguments: {}, argumentsText: '{}' }]],
    ['with arguments null', [tool({ index: 0, id: 'a', name: 'f', arguments: null })], [{ arguments: {}, argumentsText: '{}' }]],
    [
      'with the whole text again at the end',
      [tool({ index: 0, id: 'a', name: 'f' }), tool({ index: 0, delta: '{"x":1}' }), tool({ index: 0, arguments: '{"x":1}' })],
      [{ arguments: { x: 1 } }],
    ],
    [
      'with another whole text at the end',
      [tool({ index: 0, id: 'a', name: 'f' }), tool({ index: 0, delta: '{"x":' }), tool({ index: 0, arguments: '{"y":2}' })],
      [{ arguments: { y: 2 }, argumentsText: '{"y":2}' }],
    ],
    [
      'set place by place',
      [
        tool({ index: 0, id: 'a', name: 'f' }),
        tool({ index: 0, path: '$.city', value: 'Ro' }),
        tool({ index: 0, path: '$.city', value: 'me' }),
        tool({ index: 0, path: '$.days[1]', value: 2 }),
        tool({ index: 0, path: '$.days[0]', value: 1 }),
        tool({ index: 0, path: "$['a b']", value: true }),
      ],
      [{ arguments: { city: 'Rome', days: [1, 2], 'a b': true } }],
    ],
    ['with a number as its id', [tool({ index: 0, id: 7, name: 'f', delta: '{}' })], [{ id: '7', name: 'f' }]],
    ['with space around its arguments', [tool({ index: 0, id: 'a', name: 'f', delta: ' {"x":1}\n' })], [{ arguments: { x: 1 } }]],
  ])('%s', (_, says, expected) => {
    expect(calls([...says, { type: 'finish', raw: 'tools' }])).toMatchObject(expected)
    expect(calls([...says, { type: 'finish', raw: 'tools' }])).toHaveLength(expected.length)
  })

  it('whose text isn’t a JSON object has its text only', () => {
    for (const text of ['{"x":', 'hello', '[1]', '5', '"a"']) {
      const [call] = calls([tool({ index: 0, id: 'a', name: 'f', delta: text })])
      expect(call).toEqual({ id: 'a', name: 'f', argumentsText: text })
    }
  })

  it('of free text keeps it as it is, even if it looks like JSON or nothing', () => {
    for (const text of ['SELECT 1', '{"x":1}', 'null', '']) {
      const [call] = calls([tool({ index: 0, id: 'a', name: 'f', kind: 'custom' }), tool({ index: 0, delta: text })])
      expect(call).toEqual({ id: 'a', name: 'f', kind: 'custom', argumentsText: text })
    }
  })

  it('without an id gets one made up, and a warning says so; two of one name get two', () => {
    const { result, events: told } = speak(speechRuntime(), [
      [tool({ name: 'f', arguments: { x: 1 } }), tool({ name: 'f', arguments: { x: 2 } })],
    ])
    expect(result.toolCalls.map(({ name, arguments: args }) => [name, args])).toEqual([
      ['f', { x: 1 }],
      ['f', { x: 2 }],
    ])
    expect(new Set(result.toolCalls.map(({ id }) => id)).size).toBe(2)
    for (const { id } of result.toolCalls) expect(id).toMatch(/^call_[0-9a-f]{24}$/)
    expect(result.warnings).toHaveLength(2)
    expect(told.filter((event) => event.type === 'warning')).toHaveLength(2)
  })

  it('without a name is dropped with a warning', () => {
    const { result } = speak(speechRuntime(), [tool({ index: 0, id: 'a', delta: '{}' }), { type: 'finish', raw: 'stop' }])
    expect(result.toolCalls).toEqual([])
    expect(result.warnings).toMatchObject([{ field: 'toolCalls.name' }])
    expect(result.finishReason).toBe('stop')
  })

  it('is told as start, deltas and the whole, once and in this order, and its deltas add up', () => {
    const told = events([
      tool({ index: 3, id: 'a' }),
      tool({ index: 3, delta: '{"x"' }),
      tool({ index: 3, name: 'f' }),
      tool({ index: 3, delta: ':1' }),
      tool({ index: 3, delta: '}' }),
      { type: 'end', index: 3 },
      { type: 'end', index: 3 },
      { type: 'finish', raw: 'tools' },
    ])
    expect(told).toEqual([
      { type: 'start' },
      { type: 'tool_call_start', id: 'a', name: 'f', index: 3 },
      { type: 'tool_call_delta', id: 'a', delta: '{"x"', index: 3 },
      { type: 'tool_call_delta', id: 'a', delta: ':1', index: 3 },
      { type: 'tool_call_delta', id: 'a', delta: '}', index: 3 },
      { type: 'tool_call', id: 'a', name: 'f', arguments: { x: 1 }, argumentsText: '{"x":1}', index: 3 },
      { type: 'finish', reason: 'tool_calls', rawReason: 'tools' },
    ])
  })

  it('that came whole is told with its delta too', () => {
    expect(events([tool({ id: 'a', name: 'f', arguments: { x: 1 } })]).map((event) => event.type)).toEqual([
      'start',
      'tool_call_start',
      'tool_call_delta',
      'tool_call',
      'finish',
    ])
  })

  it('is closed by `done`, by the end of its block, by the finish, or by the end of the stream', () => {
    const order = (says: unknown[]): string[] => events(says).map((event) => event.type)
    const begun = tool({ index: 0, id: 'a', name: 'f', delta: '{}' })
    expect(order([tool({ index: 0, id: 'a', name: 'f', delta: '{}', done: true }), { type: 'text', delta: 'x' }])).toEqual([
      'start',
      'tool_call_start',
      'tool_call_delta',
      'tool_call',
      'text',
      'finish',
    ])
    expect(order([begun, { type: 'end', index: 0 }, { type: 'text', delta: 'x' }])).toEqual([
      'start',
      'tool_call_start',
      'tool_call_delta',
      'tool_call',
      'text',
      'finish',
    ])
    expect(order([begun, { type: 'text', delta: 'x' }])).toEqual([
      'start',
      'tool_call_start',
      'tool_call_delta',
      'text',
      'tool_call',
      'finish',
    ])
  })

  it('keeps the signature that came with it', () => {
    const { result } = speak(speechRuntime(), [tool({ id: 'a', name: 'f', arguments: {}, signature: 'sig' })])
    expect(result.message.content).toEqual([
      { type: 'tool_call', id: 'a', name: 'f', arguments: {}, signature: 'sig', provider: 'speech' },
    ])
  })
})
