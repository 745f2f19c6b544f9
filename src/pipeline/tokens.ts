import { utf8Between, type Window } from './bytes.ts'

/** What may differ between two frames of one shape: a text between its quotes, a whole number, a run of space. */
export interface Token {
  kind: 'text' | 'number' | 'space'
  start: number
  end: number
  /** Whether it did, in a frame that was compared. */
  varies: boolean
}

/** The bytes of a frame (as Latin-1), and its tokens. */
export interface Studied {
  text: string
  tokens: Token[]
}

const largest = 4_096
const most = 96

/**
 * A frame and its tokens: keys are none of them, nor numbers that aren't whole. The frame has been parsed, so its JSON is
 * well-formed. Undefined when there are too many, or a NUL, which `Piece` can't tell apart.
 */
export function studied(text: string): Studied | undefined {
  if (text.length > largest || text.includes('\0')) return undefined
  const tokens: Token[] = []
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d[\d.eE+-]*|[ \t]+/g)) {
    const { index, 0: whole, 1: inner, 2: colon } = match
    if (inner !== undefined) {
      if (colon === undefined) tokens.push({ kind: 'text', start: index + 1, end: index + 1 + inner.length, varies: false })
    } else if (whole.trim() === '') tokens.push({ kind: 'space', start: index, end: index + whole.length, varies: false })
    else if (/^(?:0|[1-9]\d{0,14})$/.test(whole))
      tokens.push({ kind: 'number', start: index, end: index + whole.length, varies: false })
    if (tokens.length > most) return undefined
  }
  return { text, tokens }
}

/**
 * The tokens of the later frame, where those that differ from the earlier one's vary, and those that varied there; undefined
 * when anything else differs, or nothing more, or a word that goes the full way. Space that only one of them has is a token without a character in the other.
 */
export function aligned(earlier: Studied, later: Studied, special: (value: string) => boolean): Token[] | undefined {
  const found: Token[] = []
  const gap = ({ text }: Studied, from: number, token: Token): string => text.slice(from, token.start)
  let [left, right] = [0, 0] // how far each has been compared
  let fresh = false
  for (let [index, other] = [0, 0]; index < earlier.tokens.length || other < later.tokens.length;) {
    const before = earlier.tokens[index]
    const after = later.tokens[other]
    if (before?.kind === after?.kind && before && after && gap(earlier, left, before) === gap(later, right, after)) {
      const [was, is] = [earlier.text.slice(before.start, before.end), later.text.slice(after.start, after.end)]
      const differs = was !== is
      const fresher = differs && !before.varies
      if (fresher && after.kind !== 'space' && (special(was) || special(is))) return undefined
      fresh ||= fresher
      found.push({ ...after, varies: differs || before.varies })
      left = before.end
      right = after.end
      index++
      other++
    } else if (before?.kind === 'space' && later.text.startsWith(gap(earlier, left, before), right)) {
      right += before.start - left
      left = before.end
      fresh ||= !before.varies
      found.push({ kind: 'space', start: right, end: right, varies: true })
      index++
    } else if (after?.kind === 'space' && earlier.text.startsWith(gap(later, right, after), left)) {
      left += after.start - right
      right = after.end
      fresh = true
      found.push({ ...after, varies: true })
      other++
    } else return undefined
  }
  return fresh && earlier.text.slice(left) === later.text.slice(right) ? found : undefined
}

/** The same without what varies, and apart from the chunk that it came in: what is kept holds nobody's words. */
export function emptied({ text, tokens }: Studied): Studied {
  let out = ''
  let from = 0
  const moved = tokens.map((token) => {
    out += text.slice(from, token.start)
    const start = out.length
    if (!token.varies) out += text.slice(token.start, token.end)
    from = token.end
    return { ...token, start, end: out.length }
  })
  return { text: Buffer.from(out + text.slice(from), 'latin1').toString('latin1'), tokens: moved }
}

/** Where the text ends that begins at `at`, by its closing quote: below zero when it isn't plain, 0 when it doesn't end or is no JSON. */
export function endOfText({ bytes, view }: Window, at: number): number {
  const { length } = bytes
  let plain = true
  for (let index = at; index < length;) {
    while (index + 4 <= length && arePlain(view.getInt32(index, true))) index += 4
    for (const stop = Math.min(index + 4, length); index < stop; index++) {
      const code = bytes[index] as number // within bounds
      if (isPlain[code] === 1) continue
      if (code === quote) return plain ? index : -index
      if (code < space) return 0
      if (code === backslash) index++
      plain = false
    }
  }
  return 0
}

/** Whether none of four bytes is a quote, a backslash, a control byte or beyond ASCII: their top bits are borrowed by such a one. */
function arePlain(four: number): boolean {
  const borrowed = four | (four - 0x20202020) | ((four ^ 0x22222222) - 0x01010101) | ((four ^ 0x5c5c5c5c) - 0x01010101)
  return (borrowed & 0x80808080) === 0
}

/** Where a plain whole number ends; `at` when it has a form that isn't plain. */
export function endOfNumber(bytes: Uint8Array, at: number): number {
  const { length } = bytes
  let end = at
  while (end < length && isDigit(bytes[end] as number)) end++ // within bounds, as all that follows
  if (end - at > 15 || (end > at + 1 && bytes[at] === zero)) return at
  if (end === length) return end
  const next = bytes[end] as number
  return next === point || next === 0x45 || next === 0x65 ? at : end
}

/** Where a run of space ends. Line ends are none: they may belong to the framing. */
export function endOfSpace(bytes: Uint8Array, at: number): number {
  const { length } = bytes
  let end = at
  while (end < length && isBlank(bytes[end] as number)) end++ // within bounds
  return end
}

const isDigit = (code: number): boolean => code >= zero && code <= zero + 9
const isBlank = (code: number): boolean => code === space || code === tab

const [tab, space, quote, point, zero, backslash] = [0x09, 0x20, 0x22, 0x2e, 0x30, 0x5c]
const isPlain = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(code >= space && code <= 127 && code !== quote && code !== backslash),
)

/** What stands between the quotes, read; undefined when it is no JSON text, or no UTF-8. */
export function readText({ bytes }: Window, start: number, end: number): string | undefined {
  const value = utf8Between(bytes, start, end)
  if (value.includes('\uFFFD')) return undefined
  return value.includes('\\') ? unquoted(value) : value
}

function unquoted(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string // a text in quotes, or an error
  } catch {
    return undefined // the whole frame is parsed then, and says what is wrong
  }
}
