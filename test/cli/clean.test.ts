import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clean, createCleaner } from '../../src/cli/clean.ts'

describe('what a model writes, on a terminal', () => {
  it.each([
    ['plain text, tabs and lines', 'a\tb\nc é ☃ 👍', 'a\tb\nc é ☃ 👍'],
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['the cursor', 'a\u001b[2Jb\u001b[10;5Hc', 'abc'],
    ['the title', 'a\u001b]0;owned\u0007b', 'ab'],
    ['the clipboard', 'a\u001b]52;c;aGk=\u001b\\b', 'ab'],
    ['a device string', 'a\u001bPq#0\u001b\\b', 'ab'],
    ['escapes of one byte', 'a\u009b31mb\u009d0;x\u009cc', 'abc'],
    ['charsets and resets', 'a\u001b(Bb\u001bcc', 'abc'],
    ['bells, backspaces, returns', 'a\u0007\bb\r\nc\rd\u0000', 'ab\ncd'],
    ['an escape that never ends', 'a\u001b]0;x\nb', 'a\nb'],
    ['an escape within an escape', 'a\u001b]0;x\u001b[31mb', 'ab'],
  ])('loses %s', (_name, text, shown) => expect(clean(text)).toBe(shown))

  it('shows the same wherever it is cut, and never a control character', () => {
    const bits = constantFrom('\u001b', '[', ']', '31m', ';', 'x', '\n', '\u0007', '\\', '\u009b', 'P', 'é')
    assert(
      property(array(bits, { maxLength: 20 }), (parts) => {
        const cleaner = createCleaner()
        const pieces = parts.map((part) => cleaner(part)).join('')
        expect(pieces).toBe(clean(parts.join('')))
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(pieces).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
      }),
    )
  })
})
