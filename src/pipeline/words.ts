import { readString, SyntaxFault } from '../lang/cursor.ts'
import { glob } from '../lang/pattern.ts'
import { isMap } from '../lang/value.ts'

/** Whether a value could make rules do something else than pass it on: a word that they compare with, or one that a glob fits. */
export interface Special {
  (value: string): boolean
  /** Whether any such value has so many characters and begins with this one (its code). */
  likely(first: number, length: number): boolean
}

const codes = 128

/**
 * Gathers every text, number and key that stands in the given pieces of a manifest, and what is quoted inside their
 * expressions. More than is ever compared, never less: a value outside of it can't be told from any other such value.
 */
export function wordsOf(...nodes: unknown[]): Special {
  const words = new Set<string>()
  const globs = new Set<string>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit)
    else if (isMap(node)) {
      for (const [key, value] of Object.entries(node)) {
        words.add(key)
        if (key === '$glob') globs.add(String(value))
        visit(value)
      }
    } else if (node !== null && node !== undefined) {
      words.add(String(node))
      if (typeof node === 'string') for (const word of quotedIn(node)) words.add(word)
    }
  }
  nodes.forEach(visit)
  const fits = [...globs].map((pattern) => glob(pattern))
  const likely = looks(words, globs)
  const special = (value: string): boolean =>
    likely(value.charCodeAt(0), value.length) && (words.has(value) || fits.some((fit) => fit(value)))
  return Object.assign(special, { likely })
}

/** Most values aren't special, and this is cheaper to ask than whether they are. */
function looks(words: ReadonlySet<string>, globs: ReadonlySet<string>): Special['likely'] {
  const longest = Math.max(0, ...[...words].map((word) => word.length))
  const begins = new Uint8Array((longest + 1) * codes)
  for (const word of words) if (word.charCodeAt(0) < codes) begins[word.length * codes + word.charCodeAt(0)] = 1
  const least = new Float64Array(codes).fill(Infinity) // characters that a glob wants, by the first of them
  for (const pattern of globs) {
    const length = pattern.replaceAll('*', '').length
    const [from, to] = pattern.startsWith('*') ? [0, codes] : [pattern.charCodeAt(0), pattern.charCodeAt(0) + 1]
    for (let code = from; code < Math.min(to, codes); code++) least[code] = Math.min(least[code] ?? Infinity, length)
  }
  return (first, length) => length >= (least[first] ?? 0) || begins[length * codes + first] === 1
}

/** The numbers in an expression, and every reading of what stands in quotes there. */
function quotedIn(text: string): string[] {
  const found: string[] = text.match(/\d+/g) ?? []
  for (const { index } of text.matchAll(/['"]/g)) {
    try {
      found.push(readString({ text, at: index }) ?? '')
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error // a quote that opens nothing: an apostrophe, or the end of another
    }
  }
  return found
}
