import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/lang/context.ts'
import { jsonBytes } from '../../src/lang/json.ts'
import { compile as compileNode } from '../../src/lang/template.ts'
import type { PlainMap, Roots } from '../../src/lang/value.ts'

interface Compiled {
  run: (at: unknown, roots?: Roots) => unknown
  mistakes: string[]
  context: Context
}

/** What is written straight from a template is always the JSON of its value. */
function compile(template: unknown, define: PlainMap = {}): Compiled {
  const mistakes: string[] = []
  const context: Context = {
    define,
    variables: ['region'],
    report: ({ message }) => void mistakes.push(message),
    where: () => 'here',
    reads: new Set(),
    types: new Set(),
    atRequest: true,
    fragments: new Map(),
    open: [],
  }
  const made = compileNode(template, context, { container: {}, key: 'x' })
  function run(at: unknown, roots: Roots = {}): unknown {
    const misses: unknown[] = []
    const value = made.eval(at, { ...roots, miss: (...missed) => (misses.push(missed), roots.miss?.(...missed)) })
    const written: unknown[] = []
    const json = jsonBytes((out) => made.write(at, { ...roots, miss: (...missed) => written.push(missed) }, out))
    expect(json?.toString()).toBe(JSON.stringify(value))
    expect(written).toEqual(misses)
    return value
  }
  return { run, mistakes, context }
}

const data = {
  text: 'a',
  blank: '',
  none: null,
  zero: 0,
  no: false,
  list: [1, 2, 3],
  empty: [],
  map: { x: 1 },
  parts: [
    { type: 'text', text: 'a' },
    { type: 'image', url: 'u' },
    { type: 'text', text: 'b' },
  ],
  role: 'user',
}

describe('a template', () => {
  it.each<[string, unknown, unknown]>([
    ['a scalar', 5, 5],
    ['false', false, false],
    ['null is nothing', null, undefined],
    ['a text', 'hello', 'hello'],
    ['an empty text', '', ''],
    ['a text with a $ inside', 'costs 5$', 'costs 5$'],
    ['$$ is a literal $', '$$.text', '$.text'],
    ['$$$ is two', '$$$', '$$'],
    ['an expression', '$.text', 'a'],
    ['nothing', '$.missing', undefined],
    ['null in the data is nothing', '$.none', undefined],
    ['an empty text in the data stays', '$.blank', ''],
    ['zero and false stay', { a: '$.zero', b: '$.no' }, { a: 0, b: false }],
    ['an interpolation', 'x-{$.text}-{$.zero}', 'x-a-0'],
    ['an interpolation of nothing is nothing', 'x-{$.missing}', undefined],
    ['an interpolation of a map is JSON', '{$.map}', '{"x":1}'],
    ['braces without a $ are text', '{text} {"a":1}', '{text} {"a":1}'],
    ['a filter in an interpolation', '<{$.list | join ", "}>', '<1, 2, 3>'],
    ['a map', { a: '$.text', b: 1 }, { a: 'a', b: 1 }],
    ['a key of nothing falls out', { a: '$.missing', b: 1 }, { b: 1 }],
    ['a map of nothing is nothing', { a: '$.missing', b: { c: '$.none' } }, undefined],
    ['a map that is empty stays', { a: {} }, { a: {} }],
    ['an item of nothing falls out', ['$.missing', '$.text'], ['a']],
    ['a list of nothing is nothing', { a: ['$.missing', ['$.none']] }, undefined],
    ['a list that is empty stays', { a: [] }, { a: [] }],
    ['a list in a list stays one', ['$.list', 4], [[1, 2, 3], 4]],
    ['a map in the data is passed on', { a: '$.map' }, { a: { x: 1 } }],
    ['keys that look like paths are keys', { 'a.b': 1, '@x': 2 }, { 'a.b': 1, '@x': 2 }],
  ])('%s', (_, template, expected) => {
    const { run, mistakes } = compile(template)
    expect(mistakes).toEqual([])
    expect(run(data)).toEqual(expected)
  })

  it.each<[string, unknown, unknown]>([
    ['$each goes through a list', { $each: '$.parts', $do: '$.type' }, ['text', 'image', 'text']],
    ['$each of a value is that value', { $each: '$.text', $do: { t: '$' } }, [{ t: 'a' }]],
    ['$each of a map is that map', { $each: '$.map', $do: '$.x' }, [1]],
    ['$each of nothing is nothing', { $each: '$.missing', $do: 'x' }, undefined],
    ['$each of an empty list is nothing', { $each: '$.empty', $do: 'x' }, undefined],
    ['$each without $do gives the items', { $each: '$.list' }, [1, 2, 3]],
    ['$where chooses', { $each: '$.parts', $where: { type: 'text' }, $do: '$.text' }, ['a', 'b']],
    ['$where that nothing fits is nothing', { $each: '$.parts', $where: { type: 'x' }, $do: '$.text' }, undefined],
    ['lists that come of items are spliced', { $each: '$.parts', $do: { $each: '$.type', $do: '$' } }, ['text', 'image', 'text']],
    ['$each inside a list is spliced', ['first', { $each: '$.list', $do: '$' }, 'last'], ['first', 1, 2, 3, 'last']],
    ['items that come to nothing fall out', { $each: '$.parts', $do: '$.url' }, ['u']],
    ['$at goes down', { $at: '$.map', $do: { y: '$.x' } }, { y: 1 }],
    ['$at of nothing is nothing', { $at: '$.missing', $do: 'x' }, undefined],
    ['$switch', { $switch: '$.role', user: 'U', assistant: 'A' }, 'U'],
    ['$switch to $else', { $switch: '$.text', user: 'U', $else: 'E' }, 'E'],
    ['$switch of nothing goes to $else', { $switch: '$.missing', user: 'U', $else: 'E' }, 'E'],
    ['$switch without a case is nothing', { $switch: '$.text', user: 'U' }, undefined],
    ['$switch compares as text', { $switch: '$.zero', '0': 'null', $else: 'E' }, 'null'],
    ['$switch compares booleans as text', { $switch: '$.no', false: 'F' }, 'F'],
    ['$if', { $if: { role: 'user' }, $then: '$.text', $else: 'no' }, 'a'],
    ['$if not', { $if: { role: 'x' }, $then: '$.text', $else: 'no' }, 'no'],
    ['$if without $else', { $if: { role: 'x' }, $then: '$.text' }, undefined],
    ['$first', { $first: ['$.missing', '$.blank', '$.empty', '$.zero', '$.text'] }, 0],
    ['$first of none', { $first: ['$.missing', '$.blank'] }, undefined],
    ['$sum', { $sum: ['$.zero', '$.map.x', '$.missing', 4, '$.text'] }, 5],
    ['$sum of no number is nothing', { $sum: ['$.missing', '$.text'] }, undefined],
    ['$minus', { $minus: ['$.list[2]', '$.map.x', '$.missing'] }, 2],
    ['$minus from nothing is nothing', { $minus: ['$.missing', 1] }, undefined],
    ['$merge', { $merge: ['$.map', { y: 2 }, { x: 3 }] }, { x: 3, y: 2 }],
    ['$merge passes over what is no map', { $merge: ['$.missing', '$.text', '$.map'] }, { x: 1 }],
    ['$merge of nothing is nothing', { $merge: ['$.missing', { a: '$.none' }] }, undefined],
    [
      '$rest in a $merge',
      { $merge: [{ $rest: '$' }, { z: '$.text', l: '$.list' }] },
      { ...Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'text' && key !== 'list')), z: 'a', l: [1, 2, 3] },
    ],
  ])('%s', (_, template, expected) => {
    const { run, mistakes } = compile(template)
    expect(mistakes).toEqual([])
    expect(run(data)).toEqual(expected)
  })

  it('fragments are used, with the value at hand, and use themselves further down', () => {
    const define = { part: { t: '$.text', below: { $each: '$.parts', $do: { $use: 'part' } } } }
    const { run, mistakes } = compile({ $use: 'part' }, define)
    expect(mistakes).toEqual([])
    expect(run({ text: 'a', parts: [{ text: 'b', parts: [{ text: 'c' }] }] })).toEqual({
      t: 'a',
      below: [{ t: 'b', below: [{ t: 'c' }] }],
    })
  })

  it.each<[string, unknown, RegExp]>([
    ['a construct that isn’t one', { $map: '$.x' }, /expected one of \$each/],
    ['a key beside a construct', { $each: '$.x', $when: 1 }, /beside \$each/],
    ['a source that is no path', { $each: 'x' }, /expected a path/],
    ['a fragment that isn’t there', { $use: 'nope' }, /expected the name of a fragment, got "nope"/],
    ['a fragment of the prototype', { $use: 'constructor' }, /fragment/],
    ['a fragment that uses itself', { $use: 'loop' }, /without going down/],
    ['fragments that use each other', { $use: 'ping' }, /without going down/],
    ['members that are no list', { $sum: 5 }, /expected a list for \$sum/],
    ['a filter that isn’t there', '$.x | shout', /expected a filter/],
    ['a filter of the prototype', '$.x | constructor', /expected a filter/],
    ['a path that ends early', '$.', /a name/],
    ['a quote that stays open', "$['x", /closed string/],
    ['an interpolation that stays open', 'a {$.x', /"}"/],
    ['words behind an expression', '$.x y', /"\?\?", "\|" or the end/],
    ['a root that isn’t there', '$requests.x', /one of \$request/],
    ['a variable that nobody declared', '$env.HOME', /declared variable \(\$env.region\)/],
    ['all variables at once', '$env', /declared variable/],
    ['a pattern that isn’t one', { $if: { $regex: 'a' }, $then: 1 }, /expected one of \$absent/],
  ])('%s is a mistake that is reported, and gives nothing', (_, template, message) => {
    const { mistakes } = compile(template, {
      loop: { a: { $use: 'loop' } },
      ping: [{ $use: 'pong' }],
      pong: { $if: { a: 1 }, $then: { $use: 'ping' } },
    })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(message)
  })

  it('roots stand beside the value at hand', () => {
    const roots: Roots = {
      request: { model: 'm', tools: [{ name: 'f' }] },
      headers: { 'x-id': '7' },
      status: 200,
      env: { region: 'eu' },
      start: 5,
      now: 9,
    }
    const { run, mistakes } = compile({
      a: '$request.tools[0].name',
      b: "$headers['x-id']",
      c: '$status',
      d: '$env.region',
      e: '$now',
      f: '$start',
      g: '$.x',
    })
    expect(mistakes).toEqual([])
    expect(run({ x: 1 }, roots)).toEqual({ a: 'f', b: '7', c: 200, d: 'eu', e: 9, f: 5, g: 1 })
    expect(run({}, {})).toBeUndefined()
  })

  it('what the request is asked for is noted; what is asked of items isn’t', () => {
    const { context } = compile({
      a: '$.maxTokens ?? $.reasoning.budgetTokens',
      b: { $each: '$.messages', $do: '$.content' },
      c: { $if: { output: { name: '*' } }, $then: 1 },
      d: 'x-{$request.user}',
      e: '$env.region',
    })
    expect([...context.reads].sort()).toEqual(['maxTokens', 'messages', 'output.name', 'reasoning.budgetTokens', 'user'])
  })

  it('what a $switch has no case for is told', () => {
    const missed: unknown[] = []
    const { run } = compile({ $switch: '$.role', user: 'U' })
    run({ role: 'robot' }, { miss: (...said) => void missed.push(said) })
    run({}, { miss: (...said) => void missed.push(said) })
    expect(missed).toEqual([['$.role', 'robot', 'here']])
  })

  it('never changes the data', () => {
    const before = structuredClone(data)
    const { run } = compile({ $merge: [{ $rest: '$' }, { a: { $each: '$.list' } }, '$.map', { x: 9 }] })
    const made = run(data) as PlainMap
    expect(made.x).toBe(9)
    expect(data).toEqual(before)
  })
})
