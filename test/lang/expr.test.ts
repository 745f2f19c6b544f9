import { describe, expect, it } from 'vitest'
import { ModelwireError } from '../../src/index.ts'
import { compileExpression, compileText } from '../../src/lang/expr.ts'
import { filters } from '../../src/lang/filters.ts'

const data = {
  a: { b: [{ c: 1 }, { c: null }, { d: 2 }, 'text', null], 'x-y': 'hyphen', '': 'blank', "it's": 'quote' },
  list: [10, 20, 30],
  parts: [
    { type: 'text', text: 'a' },
    { type: 'image' },
    { type: 'text', text: 'b', hidden: true },
    { type: 'text', text: null, n: 0 },
  ],
  words: '',
  no: false,
  zero: 0,
  none: null,
}

describe('a path', () => {
  it.each<[string, unknown]>([
    ['$', data],
    ['$.a.b[0].c', 1],
    ['$.a.b[-3].d', 2],
    ['$.a.b[9]', undefined],
    ['$.a.b[1].c', undefined],
    ['$.a.missing.deep[3].x', undefined],
    ['$.list.length', undefined],
    ['$.words.length', undefined],
    ['$.list.name', undefined],
    ['$.a[0]', undefined],
    ['$.list[1].x', undefined],
    ['$.a.x-y', 'hyphen'],
    ["$['a']['x-y']", 'hyphen'],
    ['$["a"][""]', 'blank'],
    ["$.a['it\\'s']", 'quote'],
    ['$.a.b[*].c', [1]],
    ['$.a.b[*]', [{ c: 1 }, { c: null }, { d: 2 }, 'text']],
    ['$.list.*', [10, 20, 30]],
    ['$.missing[*].x', undefined],
    ['$.words[*]', undefined],
    ["$.parts[?(@.type == 'text')].text", ['a', 'b']],
    ["$.parts[?(@.type=='text' && !@.hidden)].text", ['a']],
    ["$.parts[?(@.type != 'text')].type", ['image']],
    ['$.parts[?(@.hidden == true || @.n == 0)].type', ['text', 'text']],
    ['$.parts[?@.text].type', ['text', 'text', 'text']],
    ['$.parts[?(@.text == null)].n', [0]],
    ["$.parts[?(!(@.type == 'text'))].type", ['image']],
    ["$.parts[?(@.type == 'nothing')]", undefined],
    ['$.list[0:2]', [10, 20]],
    ['$.list[1:]', [20, 30]],
    ['$.list[0,2]', [10, 30]],
    ['$.a.b[0:2].c', [1]],
    ['$..c', [1]],
    ['$..text', ['a', 'b']],
    ['$.zero', 0],
    ['$.no', false],
    ['$.none', undefined],
  ])('%s', (path, expected) => {
    expect(compileExpression(path).eval(data, {})).toEqual(expected)
  })

  it('reads own properties only', () => {
    const inherited = Object.create({ secret: 1 }) as object
    expect(compileExpression('$.secret').eval(inherited, {})).toBeUndefined()
    expect(compileExpression('$.*').eval(inherited, {})).toBeUndefined()
    expect(compileExpression('$..secret').eval({ a: 1 }, {})).toBeUndefined()
    expect(compileExpression('$[?(@.secret)]').eval([inherited], {})).toBeUndefined()
    expect(compileExpression('$.a').eval(new Uint8Array(3), {})).toBeUndefined()
  })

  it.each([null, undefined, 5, 'text', true, [], {}])('asked of %j it is nothing, and no error', (value) => {
    for (const path of ['$.a.b', '$[0]', '$[*]', '$.a[*].b', '$[?(@.a == 1)]', '$..a', '$[0:1]', "$['a','b']"])
      expect(compileExpression(path).eval(value, {})).toBeUndefined()
  })
})

describe('alternatives', () => {
  it.each<[string, unknown]>([
    ['$.none ?? $.list[0]', 10],
    ['$.words ?? $.zero', 0],
    ['$.missing ?? $.words', ''],
    ['$.words ?? $.missing', undefined],
    ["$.missing ?? 'text'", 'text'],
    ['$.missing ?? "text"', 'text'],
    ['$.missing ?? 4096', 4096],
    ['$.missing ?? -1.5e3', -1500],
    ['$.missing ?? true', true],
    ['$.missing ?? null', undefined],
    ['$.no ?? true', false],
    ['$.missing ?? $.none ?? $.words ?? "last"', 'last'],
    ['$.missing ?? $.list | join "-"', '10-20-30'],
  ])('%s', (text, expected) => {
    expect(compileExpression(text).eval(data, {})).toEqual(expected)
  })
})

describe('filters', () => {
  const bytes = new Uint8Array([0, 255, 16])

  it.each<[string, unknown, unknown]>([
    ['json', { a: [1] }, '{"a":[1]}'],
    ['json', 'as it is', 'as it is'],
    ['json', 0, '0'],
    ['parse', '{"a":1}', { a: 1 }],
    ['parse', { a: 1 }, { a: 1 }],
    ['base64', bytes, 'AP8Q'],
    ['base64', bytes.subarray(1), '/xA='],
    ['base64', 'AP8Q', 'AP8Q'],
    ['unbase64', 'aMOp', 'hé'],
    ['join', ['a', 1, null], 'a1'],
    ['join ", "', ['a', 'b'], 'a, b'],
    ['join', 'a', 'a'],
    ['number', '5.5', 5.5],
    ['number', 'five', undefined],
    ['string', 5, '5'],
    ['string', { a: 1 }, '{"a":1}'],
    ['lower', 'ABC', 'abc'],
    ['upper', 'abc', 'ABC'],
    ['trim', ' a\n', 'a'],
    ['strip "models/"', 'models/x', 'x'],
    ['strip "models/"', 'x', 'x'],
    ['after "/"', 'image/png', 'png'],
    ['before "/"', 'image/png', 'image'],
    ['list', 1, [1]],
    ['list', [1], [1]],
    ['first', [1, 2], 1],
    ['first', [], undefined],
    ['last', [1, 2], 2],
    ['length', [1, 2], 2],
    ['length', 'abc', 3],
    ['length', 5, undefined],
    ['entries', { a: 1 }, [{ key: 'a', value: 1 }]],
    ['floats', Buffer.from(new Float32Array([1, -0.5]).buffer).toString('base64'), [1, -0.5]],
    ['floats', [1], [1]],
    ['dataurl', { data: 'AP8Q', mediaType: 'image/png' }, 'data:image/png;base64,AP8Q'],
    ['dataurl', { data: bytes }, 'data:application/octet-stream;base64,AP8Q'],
    ['dataurl', { url: 'https://x' }, 'https://x'],
    ['until', '1.5', 1500],
    ['until', '6m0s', 360_000],
    ['until', 'soon', undefined],
  ])('%s of %j', (filter, value, expected) => {
    expect(compileExpression(`$ | ${filter}`).eval(value, {})).toEqual(expected)
  })

  it('are all tried here', async () => {
    const { readFileSync } = await import('node:fs')
    const source = readFileSync(new URL(import.meta.url), 'utf8')
    expect(Object.keys(filters).filter((name) => name !== 'uuid' && !source.includes(`['${name}`))).toEqual([])
    expect(compileExpression('$ | uuid').eval('x', {})).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('follow each other, and aren’t called on nothing', () => {
    expect(compileExpression('$.a | unbase64 | parse | json').eval({ a: Buffer.from('{"b":1}').toString('base64') }, {})).toBe(
      '{"b":1}',
    )
    for (const name of Object.keys(filters)) expect(compileExpression(`$.missing | ${name}`).eval(data, {})).toBeUndefined()
  })

  it('one that throws is a protocol error with the path, and without the data', () => {
    const error = (() => {
      try {
        compileExpression('$.secret | parse').eval({ secret: 'sk-canary{' }, {})
      } catch (thrown) {
        return thrown
      }
      return undefined
    })()
    expect(error).toBeInstanceOf(ModelwireError)
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining('$.secret | parse') as string })
    expect(JSON.stringify(error)).not.toContain('canary')
  })
})

describe('texts', () => {
  it.each<[string, unknown]>([
    ['plain', 'plain'],
    ['', ''],
    ['$$5', '$5'],
    ['$.zero', 0],
    ['{$.zero}', '0'],
    ['{$.list[0]} of {$.list[1]}', '10 of 20'],
    ['{$.missing ?? "x"}!', 'x!'],
    ['a {b} c', 'a {b} c'],
    ['{{$.zero}}', '{0}'],
    ['}{$.no}{', '}false{'],
  ])('%j', (text, expected) => {
    expect(compileText(text).eval(data, {})).toEqual(expected)
  })
})
