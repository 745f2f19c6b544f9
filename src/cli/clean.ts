type State = 'text' | 'escape' | 'sequence' | 'string' | 'stringEscape'

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const suspicious = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/

/**
 * Takes control characters and whole terminal escapes out of text that comes in pieces: what a model writes may not move
 * the cursor, set the window's title or reach the clipboard. An escape that is cut between two pieces is still one.
 */
export function createCleaner(): (text: string) => string {
  let state: State = 'text'

  /** The state after a character, or the character itself where it may be shown. */
  const step = (char: string, code: number): State | 'show' => {
    if (code === 0x0a) return 'show' // a line's end ends an escape that never closed
    switch (state) {
      case 'text':
        return inText(char, code)
      case 'escape':
        return inEscape(char, code)
      case 'sequence':
        if (code === 0x1b) return 'escape'
        return code >= 0x40 && code <= 0x7e ? 'text' : 'sequence'
      case 'string':
        if (code === 0x1b) return 'stringEscape'
        return code === 0x07 || code === 0x9c ? 'text' : 'string'
      case 'stringEscape':
        return char === '\\' ? 'text' : inEscape(char, code)
      default:
        return state satisfies never
    }
  }

  return (text) => {
    if (state === 'text' && !suspicious.test(text)) return text
    let shown = ''
    for (const char of text) {
      const next = step(char, char.codePointAt(0) ?? 0)
      if (next === 'show') shown += char
      state = next === 'show' ? 'text' : next
    }
    return shown
  }
}

function inText(char: string, code: number): State | 'show' {
  if (code === 0x1b) return 'escape'
  if (code === 0x9b) return 'sequence'
  if ([0x90, 0x98, 0x9d, 0x9e, 0x9f].includes(code)) return 'string'
  return char === '\t' || (code >= 0x20 && code < 0x7f) || code > 0x9f ? 'show' : 'text'
}

function inEscape(char: string, code: number): State {
  if (char === '[') return 'sequence'
  if (']PX^_'.includes(char)) return 'string'
  return code === 0x1b || (code >= 0x20 && code <= 0x2f) ? 'escape' : 'text'
}

/** The same for a text that is there as a whole. */
export function clean(text: string): string {
  return createCleaner()(text)
}
