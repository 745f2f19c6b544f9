import { expect, it } from 'vitest'
import { Window } from '../../src/pipeline/bytes.ts'
import { endOfNumber, endOfSpace, endOfText } from '../../src/pipeline/tokens.ts'

/** Where a JSON text ends that begins at `at`, read one byte at a time: below zero when it has more than plain ASCII, 0 when it doesn't end or is none. */
function simply(bytes: Uint8Array, at: number): number {
  let plain = true
  for (let index = at; index < bytes.length; index++) {
    const code = bytes[index] as number
    if (code === 0x22) return plain ? index : -index
    if (code < 0x20) return 0
    if (code === 0x5c) index++
    if (code === 0x5c || code > 0x7f) plain = false
  }
  return 0
}

it('finds the end of a text whatever stands at whatever place in it', () => {
  for (let length = 0; length <= 9; length++) {
    for (let place = 0; place < length; place++) {
      for (let code = 0; code < 256; code++) {
        for (const tail of ['"', '" ', '","x":1}', '']) {
          const bytes = Buffer.from(`{"${'a'.repeat(length)}${tail}`)
          bytes[2 + place] = code
          expect([length, place, code, tail, endOfText(new Window(bytes), 2)]).toEqual([
            length,
            place,
            code,
            tail,
            simply(bytes, 2),
          ])
        }
      }
    }
  }
})

it('finds the end of a text of any bytes', () => {
  const alphabet = [0x22, 0x5c, 0x0a, 0x1f, 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7e, 0x7f, 0x80, 0xc3, 0xa9, 0xff, 0x61]
  let seed = 7
  const roll = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 16) % below
  }
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(
      Array.from({ length: roll(24) }, () => (roll(3) > 0 ? 0x61 : (alphabet[roll(alphabet.length)] as number))),
    )
    const at = roll(4)
    expect([bytes.toString('hex'), endOfText(new Window(bytes), at)]).toEqual([bytes.toString('hex'), simply(bytes, at)])
  }
})

it.each([
  ['12', 0, 2],
  ['12,', 0, 2],
  ['0}', 0, 1],
  ['01}', 0, 0],
  ['1.5', 0, 0],
  ['1e5', 0, 0],
  ['1E5', 0, 0],
  ['', 0, 0],
  ['x', 0, 0],
  ['123456789012345,', 0, 15],
  ['1234567890123456,', 0, 0],
])('%s ends as a plain number from %i at %i', (text, at, end) => {
  expect(endOfNumber(Buffer.from(text), at)).toBe(end)
})

it('takes spaces and tabs for blanks, up to the end of the bytes', () => {
  expect(endOfSpace(Buffer.from(' \t x'), 0)).toBe(3)
  expect(endOfSpace(Buffer.from(' \t'), 0)).toBe(2)
  expect(endOfSpace(Buffer.from('\n '), 0)).toBe(0)
  expect(endOfSpace(Buffer.from(' '), 1)).toBe(1)
})
