import { array, assert, boolean, constantFrom, property } from 'fast-check'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ModelwireError } from '../../src/core/error.ts'
import { parseManifest, readManifest } from '../../src/manifest/load.ts'
import { format, positionOf } from '../../src/manifest/position.ts'
import { folderOf } from './folder.ts'

/** CPU time, which a busy machine stretches less than the clock's. */
function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

function attempt(text: string): unknown {
  try {
    return parseManifest(text, 'x.yaml')
  } catch (error) {
    return error
  }
}

/** The error of a manifest that must not load, and how long it took. */
function refusal(text: string): { error: ModelwireError; took: number } {
  const begin = process.cpuUsage()
  const error = attempt(text)
  const took = cpuMs(begin)
  if (error instanceof ModelwireError) return { error, took }
  throw error instanceof Error ? error : new Error('it loaded')
}

/** `line:column message` of the error of a manifest that must not load. */
function line(text: string): string {
  const { error } = refusal(text)
  expect(error.kind).toBe('manifest')
  return `${error.where?.replace('x.yaml:', '')} ${error.message}`
}

// The first parse pays for loading the parser.
parseManifest('id: warm', 'warm.yaml')

describe('what a manifest says', () => {
  it('comes out as plain data', () => {
    const { data, file } = parseManifest('id: x\nlist: [1, true, null, { a: "$.b" }]\ntext: |\n  &one\n  *two\n', 'x.yaml')
    expect(file).toBe('x.yaml')
    expect(data).toEqual({ id: 'x', list: [1, true, null, { a: '$.b' }], text: '&one\n*two\n' })
  })

  it('keeps the place of every key and every item', () => {
    const { data } = parseManifest('# first\nid: x\r\nbody:\r\n  list: [1, { ä: 2 }]\n  deep:\n    - one\n    - two: 2\n', 'x.yaml')
    const body = data['body'] as { list: unknown[]; deep: unknown[] }
    const places = [
      positionOf(data, 'id'),
      positionOf(data, 'body'),
      positionOf(body, 'list'),
      positionOf(body.list, 0),
      positionOf(body.list, 1),
      positionOf(body.list[1] as object, 'ä'),
      positionOf(body.deep, 0),
      positionOf(body.deep[1] as object, 'two'),
    ]
    expect(places.map(format)).toEqual(
      ['2:1', '3:1', '4:3', '4:10', '4:13', '4:15', '6:7', '7:7'].map((place) => `x.yaml:${place}`),
    )
    expect(positionOf(data, 'nobody')).toBeUndefined()
  })

  it('is read from a file, which may be missing, a folder, or no text', () => {
    const folder = folderOf({ 'a.yaml': 'id: a' })
    expect(readManifest(join(folder, 'a.yaml')).data).toEqual({ id: 'a' })
    expect(() => readManifest(join(folder, 'b.yaml'))).toThrow(expect.objectContaining({ kind: 'configuration' }))
    expect(() => readManifest(folder)).toThrow(expect.objectContaining({ kind: 'configuration' }))
  })
})

describe('hostile manifests', () => {
  it('ML1 an alias bomb is refused within 50 ms', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level}: &l${level} [${Array(8).fill(level === 0 ? 'x' : `*l${level - 1}`)}]`,
    )
    const { error, took } = refusal(`id: x\n${levels.join('\n')}`)
    expect(error.kind).toBe('manifest')
    expect(error.where).toBe('x.yaml:2:5')
    expect(took).toBeLessThan(50)
  })

  it('ML2 a manifest over 256 KB is refused by its size, before it is parsed', () => {
    const { error, took } = refusal(`id: x\ndocs: ${'é'.repeat(132_000)}`)
    expect(error.message).toBe('expected at most 256 KB, got a larger file')
    expect(took).toBeLessThan(50)
    const folder = folderOf({ 'big.yaml': 'a'.repeat(1_000_000) })
    expect(() => readManifest(join(folder, 'big.yaml'))).toThrow('expected at most 256 KB')
  })

  const fill = (piece: string): string => piece.repeat(Math.floor((256 * 1024) / piece.length))
  it.each<readonly [string, string]>([
    ['keys', Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['keys in braces', `{${Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join(', ')}}`],
    ['long lines', Array.from({ length: 500 }, (_, index) => `k${index}: ${'x'.repeat(500)}`).join('\n')],
    ...[
      '[',
      ']',
      ',',
      '{',
      '"',
      "'",
      '\\',
      '"\\q',
      '&a ',
      '- ',
      '? ',
      ': ',
      '%\n',
      '#\n',
      '\n',
      '\r',
      '\t- b\n',
      '---\n',
      'a: b: c\n',
      '|\n',
      '\0',
      ' ',
      '\ufeff',
      '- - -\n',
      '!',
      '{}',
      '[],',
      '"" ',
      '{} ',
      '{}\n',
      '[] ? ',
      'a:\n',
    ].map((piece) => [JSON.stringify(piece), fill(piece).slice(0, 130_000)] as const),
  ])('ML2 256 KB of %s are read or refused within 500 ms', (_, text) => {
    const begin = process.cpuUsage()
    const outcome = attempt(text)
    expect(cpuMs(begin)).toBeLessThan(2_000) // 500 on a quiet machine; this one may be busy
    expect(outcome instanceof Error ? outcome : undefined).toSatisfy((error) => !error || error instanceof ModelwireError)
  })

  it.each([
    ['lists', '['.repeat(5000)],
    ['closed lists', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['maps', '{a: '.repeat(5000)],
    ['items', '- '.repeat(5000)],
    ['keys', '? '.repeat(5000)],
    ['values', ': '.repeat(5000)],
    ['lines', Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['items on lines', `a:\n${Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}-`).join('\n')}`],
  ])('ML3 %s nested thousands deep are an error with its place', (_, text) => {
    expect(line(text)).toMatch(/^\d+:\d+ expected at most 32 levels of maps and lists, got more$/)
  })

  it('ML3 32 levels are allowed, 33 are not', () => {
    const nested = (depth: number): string => `id: x\na: ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`
    expect(parseManifest(nested(32), 'x.yaml').data['id']).toBe('x')
    expect(line(nested(33))).toMatch(/^2:\d+ expected at most 32 levels/)
  })

  it('ML4 names of Object.prototype are refused as keys, wherever they stand', () => {
    const name = constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__')
    const wrap = constantFrom<(inner: string) => string>(
      (inner) => inner,
      (inner) => `{ a: ${inner} }`,
      (inner) => `[1, ${inner}]`,
      (inner) => `{ b: [${inner}] }`,
    )
    const quoted = constantFrom('', '"', "'")
    assert(
      property(name, quoted, array(wrap, { maxLength: 4 }), boolean(), (key, quote, wraps, append) => {
        const map = `{ ${quote}${key}${append ? '+' : ''}${quote}: { polluted: true } }`
        const { error } = refusal(`id: x\na: ${wraps.reduce((inner, around) => around(inner), map)}`)
        expect(error.kind).toBe('manifest')
        expect(error.message).toContain(key)
      }),
    )
    expect(line('id: x\n"\\u005f_proto__": { polluted: true }')).toContain('"__proto__"')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('ML4 a merge key brings nothing in', () => {
    expect(line('id: x\na: { <<: { __proto__: { polluted: true } } }')).toBe('2:6 expected no merge key, got "<<"')
  })

  it.each([
    ['a: !!js/function "function () {}"', '1:4 expected plain YAML, got the tag "!!js/function"'],
    ['a: !mine x', '1:4 expected plain YAML, got the tag "!mine"'],
    ['a: !!str 5', '1:4 expected plain YAML, got the tag "!!str"'],
    ['a: ! x', '1:4 expected plain YAML, got the tag "!"'],
    ['%TAG ! tag:x,2000:\n---\na: 1', '1:1 expected plain YAML, got a directive'],
    ['a: &a [*a]', '1:4 expected plain YAML, got the anchor "&a"'],
    ['a: *b', '1:4 expected plain YAML, got the alias "*b"'],
    ['a: 1\nb: 2\na: 3', '3:1 expected each key once, got "a" again'],
    ['{ a: 1, "a": 2 }', '1:9 expected each key once, got "a" again'],
    ['a: 1\n---\nb: 2', '2:1 expected one document, got several'],
    ['- a', '1:1 expected a map of keys, got something else'],
    ['', '1:1 expected a map of keys, got nothing'],
    ['a:\n\t- b', '2:1 expected plain YAML, got a tab in the indentation'],
    ['? [a]\n: b', '1:3 expected text as a key, got a map or list'],
    ['a: "b" c', '1:8 expected plain YAML, got a second value right after the first'],
    ['a: [b', '1:6 expected YAML, got a mistake: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['a:', '1:1 expected a value of "a", got nothing'],
    ['a: [1, , 2]', '1:8 expected YAML, got a mistake: Unexpected , in flow sequence'],
    ['a:\n  -\n  - b', '2:4 expected an item, got nothing'],
  ])('ML5 %j is refused', (text, expected) => {
    expect(line(text)).toBe(expected)
  })

  it.each([
    ['a: 1.10', '"1.10", or write 1.1'],
    ['a: 1.0', '"1.0", or write 1'],
    ['a: 0x1F', '"0x1F", or write 31'],
    ['a: 0o17', '"0o17", or write 15'],
    ['a: 007', '"007", or write 7'],
    ['a: 12345678901234567890', '"12345678901234567890", or write 12345678901234567000'],
    ['a: +1', '"+1", or write 1'],
    ['a: .inf', '".inf", or write Infinity'],
    ['a: no', '"no", or write false'],
    ['a: Yes', '"Yes", or write true'],
    ['a: on', '"on", or write true'],
    ['a: TRUE', '"TRUE", or write true'],
    ['a: ~', '"~", or write null'],
    ['a: 2024-10-21', '"2024-10-21"'],
    ['a: 2024-10-21 12:30:00', '"2024-10-21 12:30:00"'],
    ['a: [12:30:45]', '"12:30:45"'],
    ['a: 1_000', '"1_000"'],
  ])('ML6 %j has two readings and is refused', (text, quoted) => {
    const { error } = refusal(text)
    const [, key, value] = /^(\w+): \[?([^\]]*)/.exec(text) ?? []
    expect(error.message).toBe(`expected text in quotes, got ${value}, which YAML parsers read in different ways`)
    expect(error.where).toMatch(new RegExp(`^x.yaml:1:${(key?.length ?? 0) + 3}|5$`))
    expect(error.hint).toBe(`Quote it: ${quoted}.`)
  })

  it.each(['no', 'true', 'null', '1', '1.10', '2024-10-21', '0x1F', '~'])('ML6 the key %s must be quoted', (key) => {
    const { error } = refusal(`id: x\nfinish:\n  ${key}: stop`)
    expect(error.message).toBe(`expected text as a key, got ${key}`)
    expect(error.where).toBe('x.yaml:3:3')
    expect(error.hint).toBe(`Quote it: "${key}".`)
    expect(parseManifest(`"${key}": stop`, 'x.yaml').data).toEqual({ [key]: 'stop' })
  })

  it('ML6 what is quoted, and what has one reading, comes as it was written', () => {
    const text = `a: "no"\nb: '1.10'\nc: 1.5\nd: -3\ne: false\nf: null\ng: v1.10\nh: 10:30pm\ni: n\nj: 1e+21`
    expect(parseManifest(text, 'x.yaml').data).toEqual({
      a: 'no',
      b: '1.10',
      c: 1.5,
      d: -3,
      e: false,
      f: null,
      g: 'v1.10',
      h: '10:30pm',
      i: 'n',
      j: 1e21,
    })
  })

  it('a file that is not UTF-8 is refused, never read with holes', () => {
    const file = join(folderOf({}), 'latin.yaml')
    writeFileSync(file, Buffer.from([0x69, 0x64, 0x3a, 0x20, 0xe9]))
    expect(() => readManifest(file)).toThrow('expected UTF-8 text, got other bytes')
  })
})
