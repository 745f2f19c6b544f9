import { kindOf, mistake } from './mistake.ts'
import { positionOf, setPosition, sharePositions } from './position.ts'

type Entries = Record<string, unknown>

/**
 * Lays `child` over `parent`: maps merge by key, everything else replaces, `key: null` deletes, `key+:` appends to a list,
 * a map with a key that begins with `$` (a construct) replaces as a whole and is replaced as a whole. Keys keep the
 * parent's order, new ones go to the end. Neither input changes; the result shares with them what it doesn't alter.
 */
export function extend(parent: unknown, child: unknown): unknown {
  if (!isMergeable(child)) return child
  const under = isMergeable(parent) ? parent : {}
  const result: Entries = { ...under }
  sharePositions(result, child, under)
  for (const [key, value] of Object.entries(child)) {
    if (value === null) delete result[key]
    else if (isAppend(key)) append(result, key, value, child)
    else result[key] = extend(Object.hasOwn(result, key) ? result[key] : undefined, value)
  }
  return result
}

/**
 * Lays a manifest, or a part of one, over another: `extend`, but some things replace as a whole. Half of one scheme of
 * `auth` and half of another would send a key where nobody wanted it; an operation's `post`, `get` and `delete` are one address.
 */
export function overlay(parent: unknown, child: unknown): unknown {
  return extend(isMap(parent) && isMap(child) ? cleared(parent, child) : parent, child)
}

/** An operation has one of these, with its path. */
const methods = ['post', 'get', 'delete']

/** The parent without what the child replaces as a whole. */
function cleared(parent: Entries, child: Entries): Entries {
  const kept = 'auth' in child ? pick(parent, (key) => key !== 'auth') : parent
  const { operations } = child
  if (!isMap(operations) || !isMap(kept['operations'])) return kept
  const targets = Object.entries(kept['operations']).map(([name, operation]): [string, unknown] => {
    const over = operations[name]
    const said = isMap(over) ? methods.filter((method) => method in over) : []
    const moves = isMap(operation) && said.length === 1
    return [name, moves ? pick(operation, (key) => !methods.includes(key)) : operation]
  })
  const result = { ...kept, operations: Object.fromEntries(targets) }
  sharePositions(result, kept)
  sharePositions(result.operations, kept['operations'])
  return result
}

/** The entries of a map whose keys fit; none of what isn't a map. */
export function pick(data: unknown, fits: (key: string) => boolean): Entries {
  if (!isMap(data)) return {}
  const result = Object.fromEntries(Object.entries(data).filter(([key]) => fits(key)))
  sharePositions(result, data)
  return result
}

/** A map, and not a construct; a table with an `$else` (the finish reasons) is none: a row can be laid over it. */
export function isMergeable(value: unknown): value is Entries {
  return isMap(value) && !Object.keys(value).some((key) => key.startsWith('$') && key !== '$else')
}

export function isMap(value: unknown): value is Entries {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

function isAppend(key: string): boolean {
  return key.length > 1 && key.endsWith('+')
}

function append(result: Entries, written: string, value: unknown, child: Entries): void {
  const key = written.slice(0, -1)
  const before = Object.hasOwn(result, key) ? result[key] : []
  if (!Array.isArray(value)) throw wrongList(`expected a list to append to "${key}", got ${kindOf(value)}`, child, written)
  if (!Array.isArray(before)) {
    throw wrongList(`expected "${key}" to be a list to append to, got ${kindOf(before)}`, child, written)
  }
  const list: unknown[] = [...before, ...value]
  sharePositions(list, before)
  for (let index = 0; index < value.length; index++) {
    const position = positionOf(value, index)
    if (position) setPosition(list, before.length + index, position)
  }
  result[key] = list
  const position = positionOf(child, written)
  if (position) setPosition(result, key, position)
}

function wrongList(message: string, child: Entries, key: string): Error {
  return mistake(message, positionOf(child, key), 'A key that ends in "+" appends a list to the list that is extended.')
}
