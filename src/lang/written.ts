import { comma, type JsonWriter } from './json.ts'
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
  json?: () => string
  /** `eval` of one that is written by way of its value. */
  leaf?: Eval | undefined
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
  const write: Write = (_at, _roots, out) => out.value(value)
  return { eval: evaluate, write, items: write, json: () => JSON.stringify(value) }
}

/** One of several templates, told by the data. */
export function chosen(choose: (at: unknown, roots: Roots) => Template): Template {
  return {
    eval: (at, roots) => choose(at, roots).eval(at, roots),
    write: (at, roots, out) => choose(at, roots).write(at, roots, out),
    items: (at, roots, out) => choose(at, roots).items(at, roots, out),
  }
}

// ---- maps and lists ----------------------------------------------------------------------------------------------

const [bracketOpen, bracketClose, braceClose] = [0x5b, 0x5d, 0x7d]

/** Writes a map of those of its values that are something. Names become bytes with the first body: most templates never write one. */
export function writeMap(keys: readonly string[], values: readonly Template[]): Write {
  let fields: Field[] | undefined
  return (at, roots, out) => {
    fields ??= keys.map((key, index) => fieldOf(key, values[index] as Template)) // there are as many
    let some = false
    for (let index = 0; index < fields.length; index++) {
      const { first, next, whole, leaf, write } = fields[index] as Field // within bounds
      const value = leaf?.(at, roots)
      if (leaf !== undefined && (value === undefined || value === null)) continue // most are nothing: their names needn't be written first
      const { length } = out
      out.raw(some ? next : first)
      if (whole || (leaf === undefined ? write(at, roots, out) : out.value(value))) some = true
      else out.length = length
    }
    if (some) out.byte(braceClose)
    return some
  }
}

/** A key as bytes, where it stands first and where it follows another; `whole` with its value, where that is always the same. */
interface Field extends Pick<Template, 'leaf' | 'write'> {
  first: Buffer
  next: Buffer
  whole: boolean
}

function fieldOf(key: string, { leaf, write, json }: Template): Field {
  const text = `${JSON.stringify(key)}:${json?.() ?? ''}`
  return { first: Buffer.from(`{${text}`), next: Buffer.from(`,${text}`), whole: json !== undefined, leaf, write }
}

/** A list; `items` writes its members, and nothing where `evaluate` gives nothing. */
export function listed(evaluate: Eval, items: Write): Template {
  return {
    eval: evaluate,
    write(at, roots, out) {
      const { length } = out
      out.byte(bracketOpen)
      const some = items(at, roots, out)
      if (some) out.byte(bracketClose)
      else out.length = length
      return some
    },
    items,
  }
}

/** Writes one more member of a list, with a comma before it where there are some already. */
export function writeMember(write: Write, some: boolean, at: unknown, roots: Roots, out: JsonWriter): boolean {
  const { length } = out
  if (some) out.byte(comma)
  const written = write(at, roots, out)
  if (!written) out.length = length
  return written
}
