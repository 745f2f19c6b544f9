import { array, assert, constantFrom, jsonValue, oneof, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonBytes } from '../../src/lang/json.ts'

const written = (value: unknown): string | undefined => jsonBytes((out) => out.value(value))?.toString()

/** Those that aren't written as JSON.stringify does: each three times, as a new text, as one to be kept, and from memory. */
const wrong = (values: unknown[]): unknown[] =>
  values.filter((value) => [1, 2, 3].some(() => written(value) !== JSON.stringify(value)))

describe('JSON as bytes', () => {
  it('writes every character as JSON.stringify does, alone and in a long text', () => {
    const characters = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code))
    expect(wrong(characters)).toEqual([])
    const telling = characters.filter((_, code) => code < 0x800 || (code & 0xff) === 0 || (code & 0xff) === 0xff)
    expect(wrong(telling.map((character) => character.repeat(60)))).toEqual([])
    expect(wrong(['🎉'.repeat(100), `\udc00${'🎉'.repeat(100)}\ud83c`])).toEqual([])
  })

  it.each([0, 1, 47, 48, 49, 1_000, 32_767, 32_768, 32_769, 2_000_000])('writes a text of %i characters', (length) => {
    const texts = ['a', 'é', '東', '\n'].map((character) => character.repeat(length))
    expect(wrong(texts).length).toBe(0)
  })

  it('writes any text and any data', () => {
    const piece = oneof(string({ unit: 'binary' }), string(), constantFrom('"', '\\', '\n', '\ud800', 'x'.repeat(50)))
    const right = (value: unknown): void => void expect(wrong([value])).toEqual([])
    assert(
      property(array(piece, { maxLength: 20 }), (pieces) => right(pieces.join(''))),
      { numRuns: 2_000 },
    )
    assert(
      property(jsonValue({ stringUnit: 'binary' }), (value) => right([value])),
      { numRuns: 500 },
    )
  })

  it('tells texts apart that look alike where it looks', () => {
    const texts = Array.from({ length: 50 }, (_, index) => `${'a'.repeat(55)}${String(index).padStart(3, '0')}${'b'.repeat(400)}`)
    for (let turn = 0; turn < 3; turn++) for (const text of texts) expect(written(text)).toBe(JSON.stringify(text))
  })

  it('tells a text from one that is its JSON', () => {
    const text = 'one\ntwo\t"three"\n'.repeat(10)
    const json = JSON.stringify(text).slice(1, -1)
    for (let turn = 0; turn < 3; turn++) for (const each of [text, json]) expect(written(each)).toBe(JSON.stringify(each))
  })

  it('goes on being right when more was written than it remembers', () => {
    const old = Array.from({ length: 20 }, (_, index) => `${index} "old"\n`.repeat(50))
    for (let turn = 0; turn < 3; turn++) {
      expect(wrong(old)).toEqual([])
      const texts = Array.from({ length: 150 }, (_, index) => `${turn} ${index} ${'ü'.repeat(10_000)}`) // three megabytes
      expect(wrong(texts).length).toBe(0)
    }
  })

  it('writes members without brackets, holes as null', () => {
    const list = [1, undefined, 'a', null, () => 1, [2], Symbol('x')]
    expect(jsonBytes((out) => out.members(list))?.toString()).toBe('1,null,"a",null,null,[2],null')
    expect(jsonBytes((out) => out.members(Array.from({ length: 2 })))?.toString()).toBe('null,null')
    expect(jsonBytes((out) => out.members([]))).toBeUndefined()
  })

  it.each([undefined, null, () => 1, Symbol('x'), { toJSON: () => undefined }])('has nothing to write of %o', (value) => {
    expect(written(value)).toBeUndefined()
  })

  it('is ready again after a value that can’t be written', () => {
    const circle: Record<string, unknown> = { text: 'a'.repeat(100) }
    circle.self = circle
    expect(() => written(circle)).toThrow(TypeError)
    expect(() => written(1n)).toThrow(TypeError)
    expect(wrong([{ a: 'b' }])).toEqual([])
  })

  it('can be asked for another body in the middle of one', () => {
    const inner = { toJSON: () => written({ text: 'b'.repeat(100) }) }
    const text = 'a'.repeat(100)
    const json = jsonBytes((out) => out.value(text) && out.value([inner, inner]) && out.value(text))
    const said = JSON.stringify(JSON.stringify({ text: 'b'.repeat(100) }))
    expect(json?.toString()).toBe(`"${text}"[${said},${said}]"${text}"`)
  })

  it('gives bytes that stay as they are', () => {
    const first = jsonBytes((out) => out.value('a'.repeat(100)))
    written('b'.repeat(100))
    expect(first?.toString()).toBe(`"${'a'.repeat(100)}"`)
  })
})
