import { describe, expect, it } from 'vitest'
import { extend, overlay } from '../../src/manifest/extend.ts'
import { parseManifest } from '../../src/manifest/load.ts'
import { format, positionOf } from '../../src/manifest/position.ts'

function parse(text: string, file = 'x.yaml'): Record<string, unknown> {
  return parseManifest(text, file).data
}

describe('a child laid over its parent', () => {
  it.each([
    ['adds keys at the end', '{ a: 1, b: 2 }', '{ c: 3, a: 4 }', '{ a: 4, b: 2, c: 3 }'],
    ['merges maps at any depth', '{ a: { b: { c: 1, d: 2 } } }', '{ a: { b: { d: 3 } } }', '{ a: { b: { c: 1, d: 3 } } }'],
    ['replaces scalars', '{ a: 1 }', '{ a: x }', '{ a: x }'],
    ['replaces lists', '{ a: [1, 2] }', '{ a: [3] }', '{ a: [3] }'],
    ['replaces a map by a scalar', '{ a: { b: 1 } }', '{ a: x }', '{ a: x }'],
    ['replaces a scalar by a map', '{ a: x }', '{ a: { b: 1 } }', '{ a: { b: 1 } }'],
    ['deletes with null', '{ a: 1, b: { c: 1, d: 2 } }', '{ a: null, b: { c: null } }', '{ b: { d: 2 } }'],
    ['deletes what is not there without a trace', '{ a: 1 }', '{ b: null, c: { d: null } }', '{ a: 1, c: {} }'],
    ['appends to a list', '{ a: [1] }', '{ a+: [2, 3] }', '{ a: [1, 2, 3] }'],
    ['appends to a list deep down', '{ a: { b: [1] } }', '{ a: { b+: [2] } }', '{ a: { b: [1, 2] } }'],
    ['appends to a list that is not there', '{ a: 1 }', '{ b+: [2] }', '{ a: 1, b: [2] }'],
    ['appends in a map that is new', '{}', '{ a: { b+: [2] } }', '{ a: { b: [2] } }'],
    ['keeps a key that is just a plus', '{ a: 1 }', '{ +: 2 }', '{ a: 1, +: 2 }'],
    [
      'replaces a construct as a whole',
      '{ a: { $if: x, $then: 1, $else: 2 } }',
      '{ a: { $if: y, $then: 3 } }',
      '{ a: { $if: y, $then: 3 } }',
    ],
    ['lays a row over a table with an $else', '{ a: { x: 1, $else: 2 } }', '{ a: { y: 3 } }', '{ a: { x: 1, $else: 2, y: 3 } }'],
    ['replaces a construct by a map', '{ a: { $use: x } }', '{ a: { b: 1 } }', '{ a: { b: 1 } }'],
    ['replaces a map by a construct', '{ a: { b: 1 } }', '{ a: { $use: x } }', '{ a: { $use: x } }'],
    ['keeps null inside a construct', '{ a: 1 }', '{ b: { $is: null } }', '{ a: 1, b: { $is: null } }'],
    ['keeps null inside a list', '{ a: 1 }', '{ b: [null, { c: null }] }', '{ a: 1, b: [null, { c: null }] }'],
    [
      'puts new rules behind the old ones',
      '{ e: { x: 1, y: 2 } }',
      '{ e: { z: 3, x: { w: 1 } } }',
      '{ e: { x: { w: 1 }, y: 2, z: 3 } }',
    ],
  ])('%s', (_, parent, child, expected) => {
    const result = extend(parse(parent), parse(child))
    expect(JSON.stringify(result)).toBe(JSON.stringify(parse(expected)))
  })

  it('changes neither of the two', () => {
    const parent = parse('a: { b: [1] }\nc: 1')
    const child = parse('a: { b+: [2], d: { e: 1 } }\nc: null')
    const before = JSON.stringify([parent, child])
    const result = extend(parent, child) as { a: { b: number[]; d: { e: number } } }
    result.a.b.push(3)
    result.a.d.e = 2
    expect(JSON.stringify([parent, child])).toBe(before)
  })

  it('keeps for every entry the place where it was written', () => {
    const parent = parse('a: 1\nb: { c: 1, d: 2 }\nlist: [x, y]', 'parent.yaml')
    const child = parse('b:\n  d: 3\n  e: 4\nlist+: [z]', 'child.yaml')
    const result = extend(parent, child) as { b: object; list: unknown[] }
    const place = (container: object, key: string | number): string => format(positionOf(container, key))
    expect([place(result, 'a'), place(result, 'b'), place(result, 'list')]).toEqual([
      'parent.yaml:1:1',
      'child.yaml:1:1',
      'child.yaml:4:1',
    ])
    expect([place(result.b, 'c'), place(result.b, 'd'), place(result.b, 'e')]).toEqual([
      'parent.yaml:2:6',
      'child.yaml:2:3',
      'child.yaml:3:3',
    ])
    expect([0, 1, 2].map((index) => place(result.list, index))).toEqual(['parent.yaml:3:8', 'parent.yaml:3:11', 'child.yaml:4:9'])
    expect(place(parent, 'b')).toBe('parent.yaml:2:1')
  })

  it.each([
    ['{ a: { b: 1 } }', 'x: 1\na+: [1]', 'child.yaml:2:1', 'expected "a" to be a list to append to, got a map'],
    ['{ a: [1] }', 'a+: 2', 'child.yaml:1:1', 'expected a list to append to "a", got the number 2'],
  ])('%s can not be appended to by %j', (parent, child, where, message) => {
    expect(() => extend(parse(parent), parse(child, 'child.yaml'))).toThrow(
      expect.objectContaining({ kind: 'manifest', where, message }),
    )
  })

  it('never leaves half of one scheme of auth beside half of another', () => {
    const parent = parse('{ base: x, auth: { bearer: A, optional: true } }')
    expect(overlay(parent, parse('{ auth: { header: { x-key: B } } }'))).toEqual({ base: 'x', auth: { header: { 'x-key': 'B' } } })
    expect(overlay(parent, parse('{ auth: null }'))).toEqual({ base: 'x' })
    expect(overlay(parent, parse('{ base: y }'))).toEqual({ base: 'y', auth: { bearer: 'A', optional: true } })
  })
  it('calls the address of the child, whichever of `post` and `get` it is', () => {
    const parent = parse('operations: { chat: { post: /a, body: { n: 1 } }, models: { get: /m } }', 'parent.yaml')
    const child = parse('operations: { chat: { get: /b }, models: { decode: json } }')
    const result = overlay(parent, child) as { operations: { chat: object; models: object } }
    expect(result.operations).toEqual({ chat: { get: '/b', body: { n: 1 } }, models: { get: '/m', decode: 'json' } })
    expect(format(positionOf(result.operations.chat, 'body'))).toBe('parent.yaml:1:33')
    expect(format(positionOf(result.operations, 'models'))).toBe('x.yaml:1:34')
    expect(overlay(parent, parse('operations: { chat: null }'))).toEqual({ operations: { models: { get: '/m' } } })
    expect(parent).toEqual(parse('operations: { chat: { post: /a, body: { n: 1 } }, models: { get: /m } }'))
  })
})
