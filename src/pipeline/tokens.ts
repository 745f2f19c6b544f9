/** A value in a JSON text: what stands between the quotes of a plain text, or a whole number. */
export interface Token {
  kind: 'text' | 'number'
  start: number
  end: number
}

const largest = 16_384
const most = 96

/** Characters that stand for themselves inside a JSON text: no quote, no backslash, no control character. */
export function inWords(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 32 || code === 34 || code === 92) return false
  }
  return true
}

/**
 * The values of a JSON text that may differ from frame to frame. Keys are none of them, nor texts with escapes, nor empty
 * ones, nor numbers that aren't whole. The text has been parsed, so it is well-formed. Undefined when there are too many.
 */
export function tokensOf(text: string): Token[] | undefined {
  if (text.length > largest) return undefined
  const tokens: Token[] = []
  for (const match of text.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d[\d.eE+-]*/g)) {
    const [whole, inner, colon] = match
    if (inner === undefined) {
      if (/^(?:0|[1-9]\d{0,14})$/.test(whole)) tokens.push({ kind: 'number', start: match.index, end: match.index + whole.length })
    } else if (colon === undefined && inner !== '' && inWords(inner)) {
      tokens.push({ kind: 'text', start: match.index + 1, end: match.index + 1 + inner.length })
    }
    if (tokens.length > most) return undefined
  }
  return tokens
}
