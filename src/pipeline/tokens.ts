import { utf8Between } from './bytes.ts'

/** What may differ between two frames of one shape: a text between its quotes, a whole number, a run of space. */
export interface Token {
  kind: 'text' | 'number' | 'space'
  start: number
  end: number
}

const largest = 16_384
const most = 96

/**
 * The tokens of a frame's bytes (as Latin-1) that may differ from frame to frame; keys are none of them, nor numbers that
 * aren't whole. The frame has been parsed, so its JSON is well-formed. Undefined when there are too many.
 */
export function tokensOf(text: string): Token[] | undefined {
  if (text.length > largest) return undefined
  const tokens: Token[] = []
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d[\d.eE+-]*|[ \t]+/g)) {
    const { index, 0: whole, 1: inner, 2: colon } = match
    if (inner !== undefined) {
      if (colon === undefined) tokens.push({ kind: 'text', start: index + 1, end: index + 1 + inner.length })
    } else if (whole.trim() === '') tokens.push({ kind: 'space', start: index, end: index + whole.length })
    else if (/^(?:0|[1-9]\d{0,14})$/.test(whole)) tokens.push({ kind: 'number', start: index, end: index + whole.length })
    if (tokens.length > most) return undefined
  }
  return tokens
}

/** Where the text ends that begins at `at`, by its closing quote; -1 when it doesn't. */
export function endOfText(text: string, at: number): number {
  const quote = text.indexOf('"', at)
  if (quote < 0 || !text.slice(at, quote).includes('\\')) return quote
  for (let index = at; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === 34) return index
    if (code === 92) index++
  }
  return -1
}

/** Where a plain whole number ends; `at` when it has a form that isn't plain. */
export function endOfNumber(text: string, at: number): number {
  let end = at
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++
  const plain = end - at < 16 && (text[at] !== '0' || end === at + 1) && !'.eE'.includes(text[end] ?? 'x')
  return plain ? end : at
}

/** Where a run of space ends. Line ends are none: they may belong to the framing. */
export function endOfSpace(text: string, at: number): number {
  for (let end = at; ; end++) {
    const code = text.charCodeAt(end)
    if (code !== 32 && code !== 9) return end
  }
}

const sliced = 13 // V8 copies a shorter slice; a longer one would keep the whole chunk that it is cut from alive

/** What stands between the quotes, read; undefined when it is no JSON text, or no UTF-8. */
export function readText(bytes: Uint8Array, text: string, start: number, end: number): string | undefined {
  let plain = true
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index)
    if (code < 32) return undefined
    if (code === 92 || code > 126) plain = false
  }
  if (plain && end - start < sliced) return text.slice(start, end)
  const value = utf8Between(bytes, start, end)
  if (plain) return value
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
