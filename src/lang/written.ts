import type { JsonWriter } from './json.ts'
import type { Eval, Roots } from './value.ts'

/** Writes what a template makes as JSON; false, and `out` as it was, where that is nothing or JSON has no form for it. */
export type Write = (at: unknown, roots: Roots, out: JsonWriter) => boolean

/**
 * A compiled template. `write` writes what `eval` gives, without making it first; `items` the same without the brackets where
 * it is a list, for a list that takes it in.
 */
export interface Template {
  eval: Eval
  write: Write
  items: Write
  /** The JSON of one that is always the same. */
  json?: string
  /** `eval` of one that is written by way of its value. */
  leaf?: Eval
}

/** A template that is written by way of its value. */
export function valued(evaluate: Eval): Template {
  return {
    eval: evaluate,
    leaf: evaluate,
    write: (at, roots, out) => out.value(evaluate(at, roots)),
    items(at, roots, out) {
      const value = evaluate(at, roots)
      return Array.isArray(value) ? out.members(value) : out.value(value)
    },
  }
}

/** A template that gives the same always; it is plain data. */
export function constant(value: unknown): Template {
  const evaluate: Eval = () => value
  if (value === undefined) return { eval: evaluate, write: () => false, items: () => false }
  const json = JSON.stringify(value)
  const bytes = Buffer.from(json)
  const write: Write = (_at, _roots, out) => {
    out.raw(bytes)
    return true
  }
  return { eval: evaluate, write, items: write, json }
}
