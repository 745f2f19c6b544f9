/**
 * As much of a JSON value as its beginning tells: what is open is closed, and what is begun but says nothing yet (a key
 * without a value, half a `true`) is left out. Nothing when no value has begun, or what came isn't JSON.
 */
export function parsePartial(text: string): unknown {
  const begin = text.search(/[{[]/)
  if (begin < 0) return undefined
  const { closers, cuts } = scan(text, begin)
  // A cut is a place up to which the text is whole; the last ones are the likeliest to give the most.
  for (const { at, depth, suffix } of cuts.toReversed()) {
    const closed = text.slice(begin, at) + suffix + closers.slice(0, depth).toReversed().join('')
    try {
      return JSON.parse(closed) as unknown
    } catch {
      // Too much was kept: the next cut keeps less.
    }
  }
  return undefined
}

interface Cut {
  at: number
  depth: number
  suffix: string
}

/** How many cuts back are tried: the last lexeme, its key, the comma before it. */
const tries = 6

function scan(text: string, begin: number): { closers: string[]; cuts: Cut[] } {
  const closers: string[] = []
  const cuts: Cut[] = []
  let inText = false
  const keep = (at: number, suffix = ''): void => {
    cuts.push({ at, depth: closers.length, suffix })
    if (cuts.length > tries) cuts.shift()
  }
  let at = begin
  for (; at < text.length; at++) {
    const character = text[at]
    if (inText) {
      if (character === '\\') at++
      else if (character === '"') inText = false
      continue
    }
    if (character === '"') inText = true
    else if (character === '{' || character === '[') {
      closers.push(character === '{' ? '}' : ']')
      keep(at + 1)
    } else if (character === '}' || character === ']') {
      closers.pop()
      keep(at + 1)
      if (closers.length === 0) return { closers, cuts } // whole; what follows isn't the value
    } else if (character === ',') keep(at)
  }
  keep(text.length)
  // A text that is cut within an escape (\u12) loses that.
  if (inText) keep(text.length - (/\\(?:u[\da-f]{0,3})?$/i.exec(text)?.[0].length ?? 0), '"')
  return { closers, cuts }
}
