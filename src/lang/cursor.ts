/** A mistake in a text of the language; `at` counts characters from its start. */
export class SyntaxFault extends Error {
  readonly at: number
  readonly hint: string | undefined
  constructor(message: string, at: number, hint?: string) {
    super(message)
    this.at = at
    this.hint = hint
  }
}

/** A text being read from left to right. */
export interface Cursor {
  readonly text: string
  at: number
}

export function fail(cursor: Cursor, expected: string, hint?: string): never {
  const rest = cursor.text.slice(cursor.at, cursor.at + 12)
  throw new SyntaxFault(`expected ${expected}, got ${rest === '' ? 'the end' : JSON.stringify(rest)}`, cursor.at, hint)
}

export function skipSpace(cursor: Cursor): void {
  while (' \t\n\r'.includes(cursor.text[cursor.at] ?? 'x')) cursor.at++
}

/** Takes `token` if it comes next. */
export function take(cursor: Cursor, token: string): boolean {
  if (!cursor.text.startsWith(token, cursor.at)) return false
  cursor.at += token.length
  return true
}

export function expect(cursor: Cursor, token: string): void {
  if (!take(cursor, token)) fail(cursor, JSON.stringify(token))
}

/** Takes what a sticky regular expression matches. Ours are fixed and linear; none comes from a manifest. */
export function match(cursor: Cursor, sticky: RegExp): string | undefined {
  sticky.lastIndex = cursor.at
  const found = sticky.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

const integer = /-?(?:0|[1-9]\d*)/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** An index as RFC 9535 writes it: no leading zeros, no `-0`, within the exact integers. */
export function readInteger(cursor: Cursor): number | undefined {
  const start = cursor.at
  const found = match(cursor, integer)
  if (found === undefined) return undefined
  const value = Number(found)
  if (found === '-0' || !Number.isSafeInteger(value) || /\d/.test(cursor.text[cursor.at] ?? '')) {
    cursor.at = start
    fail(cursor, 'an integer without leading zeros')
  }
  return value
}

const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '/': '/', '\\': '\\' }

/** A string in single or double quotes, with the escapes of RFC 9535. */
export function readString(cursor: Cursor): string | undefined {
  const quote = cursor.text[cursor.at]
  if (quote !== "'" && quote !== '"') return undefined
  const start = cursor.at++
  let out = ''
  for (;;) {
    const char = cursor.text[cursor.at++]
    if (char === undefined || char < ' ') {
      cursor.at = start
      return fail(cursor, 'a closed string')
    }
    if (char === quote) return out
    out += char === '\\' ? readEscape(cursor, quote) : char
  }
}

function readEscape(cursor: Cursor, quote: string): string {
  const char = cursor.text[cursor.at++] ?? ''
  if (char === quote) return quote
  if (char === 'u') return readUnicode(cursor)
  const plain = Object.hasOwn(escapes, char) ? escapes[char] : undefined
  return plain ?? fail(cursor, 'an escape such as \\n or \\u00e9')
}

function readUnicode(cursor: Cursor): string {
  const unit = (): number => {
    const hex = match(cursor, /[0-9a-fA-F]{4}/y)
    return hex === undefined ? fail(cursor, 'four hexadecimal digits') : Number.parseInt(hex, 16)
  }
  const first = unit()
  if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first)
  if (first > 0xdbff || !take(cursor, '\\u')) return fail(cursor, 'a pair of surrogates')
  const second = unit()
  if (second < 0xdc00 || second > 0xdfff) return fail(cursor, 'a low surrogate')
  return String.fromCharCode(first, second)
}

/** A JSON scalar; strings also in single quotes. `found` tells a literal null from none. */
export function readLiteral(cursor: Cursor): { value: string | number | boolean | null } | undefined {
  const text = readString(cursor)
  if (text !== undefined) return { value: text }
  const digits = match(cursor, number)
  if (digits !== undefined) return { value: Number(digits) }
  const word = match(cursor, /(?:true|false|null)(?![\w-])/y)
  return word === undefined ? undefined : { value: word === 'null' ? null : word === 'true' }
}
