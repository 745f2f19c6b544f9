import { describe, expect, it } from 'vitest'
import { SyntaxFault } from '../../src/lang/cursor.ts'
import { compilePattern, glob } from '../../src/lang/pattern.ts'

describe('a pattern', () => {
  it.each<[unknown, unknown[], unknown[]]>([
    ['*', ['a', 0, false, {}, [0], { a: null }], ['', [], null, undefined]],
    ['a', ['a'], ['b', '', ['a'], null, undefined]],
    [5, [5], ['5', 6]],
    [false, [false], [0, '', null, undefined]],
    [null, [null, undefined], [0, '', false]],
    [
      ['a', 5, '*'],
      ['a', 5, 'anything'],
      ['', null],
    ],
    [
      ['a', 'b'],
      ['a', 'b'],
      ['c', ['a']],
    ],
    [[], [], ['a', null, []]],
    [{ type: 'text' }, [{ type: 'text' }, { type: 'text', more: 1 }], [{}, { type: 'x' }, null, 'text', [{ type: 'text' }]]],
    [{ a: { b: 1 } }, [{ a: { b: 1, c: 2 } }], [{ a: 1 }, { a: null }, { a: { b: 2 } }]],
    [{ a: 1, b: '*' }, [{ a: 1, b: 'x' }], [{ a: 1 }, { a: 1, b: '' }, { a: 2, b: 'x' }]],
    [{}, [{}, 'a', null], []],
    [{ $absent: true }, [null, undefined, '', []], ['a', 0, false, {}]],
    [{ a: { $absent: true } }, [{}, { a: null }, { a: '' }, { a: [] }], [{ a: 0 }, { a: {} }]],
    [{ $not: 'a' }, ['b', null, undefined, ''], ['a']],
    [{ a: { $not: '*' } }, [{}, { a: '' }], [{ a: 1 }]],
    [{ $type: 'string' }, ['', 'a'], [1, null, ['a']]],
    [{ $type: 'list' }, [[], [1]], [{}, 'a', null]],
    [{ $type: 'map' }, [{}, { a: 1 }], [[], null, new Uint8Array(1)]],
    [{ $type: 'number' }, [0, 1.5], ['1', null]],
    [{ $type: 'boolean' }, [true, false], [0, null]],
    [{ $glob: 'gpt-4*' }, ['gpt-4', 'gpt-4o'], ['GPT-4', 'xgpt-4', 5, null]],
    [{ $is: '*' }, ['*'], ['a', '']],
    [{ $is: null }, [null, undefined], ['', 0]],
    [
      { status: [429, 503], body: { $not: { error: '*' } } },
      [{ status: 503, body: {} }, { status: 429 }],
      [{ status: 429, body: { error: 'x' } }, { status: 500 }],
    ],
  ])('%j', (pattern, fitting, others) => {
    const test = compilePattern(pattern)
    expect(fitting.filter((value) => !test(value))).toEqual([])
    expect(others.filter((value) => test(value))).toEqual([])
  })

  it('reads own properties only', () => {
    expect(compilePattern({ secret: '*' })(Object.create({ secret: 1 }))).toBe(false)
  })

  it.each<{ pattern: unknown }>(
    [
      { $regex: 'a' },
      { $where: '1' },
      { $type: 'function' },
      { constructor: 'a' },
      { a: { __defineGetter__: 'a' } },
      { $not: { $eval: 1 } },
    ].map((pattern) => ({ pattern })),
  )('$pattern is refused', ({ pattern }) => {
    expect(() => compilePattern(pattern)).toThrow(SyntaxFault)
  })
})

describe('a glob', () => {
  it.each<[string, string[], string[]]>([
    ['a', ['a'], ['', 'aa', 'b']],
    ['*', ['', 'a', 'a\nb'], []],
    ['a*', ['a', 'ab'], ['ba', '']],
    ['*a', ['a', 'ba'], ['ab', '']],
    ['*a*', ['a', 'bab'], ['', 'b']],
    ['a*a', ['aa', 'aba'], ['a', 'ab']],
    ['a*b*c', ['abc', 'axbxc', 'abbcc'], ['acb', 'ab', 'xabc']],
    ['**', ['', 'a'], []],
    ['a.c', ['a.c'], ['abc']],
    ['[ab]*', ['[ab]x'], ['ax']],
    ['gpt-?*', ['gpt-?x'], ['gpt-4x']],
    ['ab*bc', ['abbc', 'abxbc'], ['abc']],
  ])('%s', (pattern, fitting, others) => {
    const test = glob(pattern)
    expect(fitting.filter((text) => !test(text))).toEqual([])
    expect(others.filter((text) => test(text))).toEqual([])
  })

  it('ML8 of many pieces costs no more than its text is long', () => {
    const test = glob(`${'a*'.repeat(100)}b`)
    const text = 'a'.repeat(100_000)
    const started = performance.now()
    expect(test(text)).toBe(false)
    expect(performance.now() - started).toBeLessThan(50)
  })
})
