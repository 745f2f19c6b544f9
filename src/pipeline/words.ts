import { readString, SyntaxFault } from '../lang/cursor.ts'
import { glob, type Pattern } from '../lang/pattern.ts'
import { isMap } from '../lang/value.ts'

/** Whether a value could make rules do something else than pass it on: a word that they compare with, or one that a glob fits. */
export type Special = (value: string) => boolean

/**
 * Gathers every text, number and key that stands in the given pieces of a manifest, and what is quoted inside their
 * expressions. More than is ever compared, never less: a value outside of it can't be told from any other such value.
 */
export function wordsOf(...nodes: unknown[]): Special {
  const words = new Set<string>()
  const globs: Pattern[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit)
    else if (isMap(node)) {
      for (const [key, value] of Object.entries(node)) {
        words.add(key)
        if (key === '$glob') globs.push(glob(String(value)))
        visit(value)
      }
    } else if (node !== null && node !== undefined) {
      words.add(String(node))
      if (typeof node === 'string') for (const word of quotedIn(node)) words.add(word)
    }
  }
  nodes.forEach(visit)
  const longest = Math.max(0, ...[...words].map((word) => word.length))
  const known: Special = (value) => value.length <= longest && words.has(value)
  return globs.length === 0 ? known : (value) => known(value) || globs.some((fits) => fits(value))
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
