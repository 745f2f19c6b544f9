import { ModelwireError } from '../core/error.ts'
import { type Cursor, expect, fail, match, readLiteral, skipSpace, take } from './cursor.ts'
import { type Filter, filters } from './filters.ts'
import { compilePath, type Path, readPath } from './path.ts'
import { asText, type Eval, isBlank } from './value.ts'

/** `source ?? source | filter argument*`, and texts with `{$…}` in them. */
export interface Expression {
  eval: Eval
  /** Every path in it, for the checks at load. */
  paths: Path[]
  text: string
  /** Whether it can be something without reading anything: it is a literal, or one is among its alternatives. */
  literal: boolean
}

/** What an expression turns out to read, while it is read itself. */
type Found = Pick<Expression, 'paths' | 'literal'>

/** Compiles a text: `$$…` is a literal `$…`, `$…` an expression, one with `{$…}` an interpolation, any other a literal. */
export function compileText(text: string): Expression {
  if (text.startsWith('$$')) return constant(text.slice(1), text)
  if (text.startsWith('$')) return compileExpression(text)
  if (!text.includes('{$')) return constant(text, text)
  return compileInterpolation(text, asText)
}

function constant(value: unknown, text: string): Expression {
  return { eval: () => value, paths: [], text, literal: true }
}

export function compileExpression(text: string): Expression {
  const cursor: Cursor = { text, at: 0 }
  const expression = readExpression(cursor)
  skipSpace(cursor)
  if (cursor.at < text.length) fail(cursor, '"??", "|" or the end')
  return expression
}

function readExpression(cursor: Cursor): Expression {
  const start = cursor.at
  const found: Found = { paths: [], literal: false }
  let evaluate = readAlternatives(cursor, found)
  for (skipSpace(cursor); take(cursor, '|'); skipSpace(cursor)) evaluate = readFilter(cursor, evaluate, found)
  const text = cursor.text.slice(start, cursor.at).trim()
  return { eval: evaluate, ...found, text }
}

function readAlternatives(cursor: Cursor, found: Found): Eval {
  const sources = [readSource(cursor, found)]
  for (skipSpace(cursor); take(cursor, '??'); skipSpace(cursor)) sources.push(readSource(cursor, found))
  const [first, second] = sources
  if (first === undefined) return () => undefined
  if (second === undefined) return first
  return (at, roots) => {
    let value: unknown
    for (const source of sources) {
      value = source(at, roots)
      if (!isBlank(value)) return value
    }
    return value
  }
}

function readSource(cursor: Cursor, found: Found): Eval {
  skipSpace(cursor)
  if (cursor.text[cursor.at] === '$') {
    const path = readPath(cursor)
    found.paths.push(path)
    return compilePath(path)
  }
  const literal = readLiteral(cursor)
  if (literal === undefined) return fail(cursor, 'a path such as $.name, or a JSON literal')
  found.literal ||= literal.value !== null
  return () => literal.value ?? undefined
}

function readFilter(cursor: Cursor, input: Eval, found: Found): Eval {
  skipSpace(cursor)
  const start = cursor.at
  const name = match(cursor, /[a-z]\w*/y) ?? fail(cursor, 'the name of a filter')
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined
  if (filter === undefined) {
    cursor.at = start
    return fail(cursor, `a filter (${Object.keys(filters).join(', ')})`)
  }
  // A fresh id is the same whatever it is asked of: it reads nothing.
  if (name === 'uuid') found.paths.length = 0
  const args: unknown[] = []
  for (skipSpace(cursor); ; skipSpace(cursor)) {
    const literal = readLiteral(cursor)
    if (literal === undefined) break
    args.push(literal.value)
  }
  return apply(input, filter, args, `${cursor.text.slice(0, start).trim()} ${name}`)
}

function apply(input: Eval, filter: Filter, args: unknown[], text: string): Eval {
  return (at, roots) => {
    const value = input(at, roots)
    if (value === undefined || value === null) return undefined
    roots.filtered?.(value)
    try {
      return filter(value, args) ?? undefined
    } catch {
      // The filter's own words may quote the data (JSON.parse does), so they are left out.
      throw new ModelwireError('protocol', `${text} can't be applied to this ${Array.isArray(value) ? 'list' : typeof value}`)
    }
  }
}

/** Compiles a text with `{$…}` in it; a part that selects nothing makes the whole nothing. `write` turns a value into text. */
export function compileInterpolation(text: string, write: (value: unknown) => string): Expression {
  const cursor: Cursor = { text, at: 0 }
  const pieces: (string | Eval)[] = []
  const paths: Path[] = []
  let literal = true
  while (cursor.at < text.length) {
    const open = text.indexOf('{$', cursor.at)
    const plain = text.slice(cursor.at, open < 0 ? text.length : open)
    if (plain !== '') pieces.push(plain)
    if (open < 0) break
    cursor.at = open + 1
    const inner = readExpression(cursor)
    skipSpace(cursor)
    expect(cursor, '}')
    paths.push(...inner.paths)
    literal &&= inner.literal
    pieces.push(inner.eval)
  }
  return { eval: joined(pieces, write), paths, text, literal }
}

function joined(pieces: (string | Eval)[], write: (value: unknown) => string): Eval {
  return (at, roots) => {
    let out = ''
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        out += piece
        continue
      }
      const value = piece(at, roots)
      if (value === undefined || value === null) return undefined
      out += write(value)
    }
    return out
  }
}
