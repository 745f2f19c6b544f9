import { type Cursor, expect, fail, match, readLiteral, skipSpace, take } from './cursor.ts'
import { inheritedNames, isMap } from './value.ts'

/** Conditions of paths: `[?(@.type == 'text' && !@.hidden)]`. */

/** A filter's condition on one item. RFC 9535: a term alone asks whether the path exists, even if it holds null. */
export type Test = (item: unknown) => boolean

const shorthand = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*/y

/** A name behind a dot. */
export function readName(cursor: Cursor): string {
  const name = match(cursor, shorthand)
  return name === undefined ? fail(cursor, 'a name (letters, digits, _ or -), "*" or "["') : checkName(cursor, name)
}

/** Refuses a name that every object inherits; the cursor stands behind it. */
export function checkName(cursor: Cursor, name: string): string {
  if (!inheritedNames.has(name)) return name
  cursor.at -= name.length
  return fail(cursor, 'a field of the data', `"${name}" is a name that every object inherits; it can't be read`)
}

/** Reads what stands behind `?`; words that `@.type` is compared with are added to `types`. */
export function readCondition(cursor: Cursor, types: string[]): Test {
  skipSpace(cursor)
  return readOr(cursor, types)
}

function readOr(cursor: Cursor, types: string[]): Test {
  let left = readAnd(cursor, types)
  for (skipSpace(cursor); take(cursor, '||'); skipSpace(cursor)) {
    const [first, second] = [left, readAnd(cursor, types)]
    left = (item) => first(item) || second(item)
  }
  return left
}

function readAnd(cursor: Cursor, types: string[]): Test {
  let left = readTerm(cursor, types)
  for (skipSpace(cursor); take(cursor, '&&'); skipSpace(cursor)) {
    const [first, second] = [left, readTerm(cursor, types)]
    left = (item) => first(item) && second(item)
  }
  return left
}

function readTerm(cursor: Cursor, types: string[]): Test {
  skipSpace(cursor)
  if (take(cursor, '!')) {
    skipSpace(cursor)
    const grouped = cursor.text[cursor.at] === '('
    const negated = readPrimary(cursor, types, !grouped)
    return (item) => !negated(item)
  }
  return readPrimary(cursor, types, false)
}

function readPrimary(cursor: Cursor, types: string[], existenceOnly: boolean): Test {
  if (take(cursor, '(')) {
    const inner = readOr(cursor, types)
    skipSpace(cursor)
    expect(cursor, ')')
    return inner
  }
  expect(cursor, '@')
  const names: string[] = []
  while (take(cursor, '.')) {
    names.push(readName(cursor))
  }
  const start = cursor.at
  skipSpace(cursor)
  const operator = existenceOnly ? undefined : match(cursor, /==|!=/y)
  if (operator === undefined) {
    cursor.at = start
    return (item) => follow(item, names) !== undefined
  }
  skipSpace(cursor)
  const literal = readLiteral(cursor) ?? fail(cursor, 'a string, a number, true, false or null')
  const wanted = literal.value
  if (names.at(-1) === 'type' && typeof wanted === 'string') types.push(wanted)
  const [only] = names
  const read =
    names.length === 1 && only !== undefined ? (item: unknown) => own(item, only) : (item: unknown) => follow(item, names)
  return operator === '==' ? (item) => read(item) === wanted : (item) => read(item) !== wanted
}

/** Unlike a step of the language this tells null from missing, as RFC 9535 wants inside a filter. */
function follow(item: unknown, names: readonly string[]): unknown {
  let value = item
  for (const name of names) value = own(value, name)
  return value
}

function own(value: unknown, name: string): unknown {
  return isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined
}
