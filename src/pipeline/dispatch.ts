import { isMap, type PlainMap, type Roots } from '../lang/value.ts'
import type { Speech } from './speech.ts'

/** Told of everything that the rules say. */
export type Say = (speech: Speech) => void

/** What a rule hands down to what stands below it. */
export type Fields = Readonly<PlainMap>

/** Runs on one value; true when it matched. */
export type Rule = (value: unknown, roots: Roots, say: Say, fields: Fields) => boolean

/** A rule with and without its `when`, and what that `when` asks for literally. */
export interface Guarded {
  rule: Rule
  bare: Rule
  asks: Asks
  /** Without any of these fields on the value the rule says nothing; absent when that isn't known. */
  needs: ReadonlySet<string> | undefined
}

/** Fields that have to be exactly something: `type` → `message_start`, `delta type` → `text_delta`. */
export interface Asks {
  literals: ReadonlyMap<string, unknown>
  /** Whether that is all that the pattern asks. */
  only: boolean
}

const deepest = 3

/**
 * Rules that ask the same field for literals are looked up by it instead of being asked one by one: an event of a wire that
 * names its events (`type: …`) then costs a look or two, not ten patterns. Order and meaning are those of asking all.
 */
export function dispatch(rules: Guarded[], settled: readonly string[] = []): Rule {
  const field = settled.length < deepest ? mostAsked(rules, settled) : undefined
  if (field === undefined)
    return byFields(rules.map((guarded) => (isProven(guarded.asks, settled) ? { ...guarded, rule: guarded.bare } : guarded)))
  const below = [...settled, field]
  const anyway = rules.filter(({ asks }) => !asks.literals.has(field))
  const table = new Map<unknown, Rule>()
  for (const literal of new Set(rules.map(({ asks }) => asks.literals.get(field)))) {
    const fitting = rules.filter(({ asks }) => !asks.literals.has(field) || asks.literals.get(field) === literal)
    if (literal !== undefined) table.set(literal, dispatch(fitting, below))
  }
  const otherwise = dispatch(anyway, below)
  const read = reader(field)
  return (value, roots, say, fields) => (table.get(read(value)) ?? otherwise)(value, roots, say, fields)
}

const fewest = 4 // fewer rules are asked faster than a value's fields are looked through
const mostRules = 31 // bits of a mask
const mostPlans = 64

/** A delta has one or two fields and a dozen rules that read others: only those whose fields are there are asked. */
function byFields(rules: Guarded[]): Rule {
  const all = inOrder(rules.map(({ rule }) => rule))
  if (rules.length < fewest || rules.length > mostRules) return all
  const bits = new Map<string, number>()
  let always = 0
  for (const [index, { needs }] of rules.entries()) {
    if (needs === undefined) always |= 1 << index
    else for (const name of needs) bits.set(name, (bits.get(name) ?? 0) | (1 << index))
  }
  const plans = new Map<number, Rule>()
  const planFor = (mask: number): Rule => {
    const plan = inOrder(rules.filter((_, index) => (mask & (1 << index)) !== 0).map(({ rule }) => rule))
    if (plans.size < mostPlans) plans.set(mask, plan)
    return plan
  }
  return (value, roots, say, fields) => {
    if (!isMap(value)) return all(value, roots, say, fields)
    let mask = always
    for (const name in value) mask |= bits.get(name) ?? 0 // one that is inherited only has more rules asked
    return (plans.get(mask) ?? planFor(mask))(value, roots, say, fields)
  }
}

/** All rules, in the order of the file; true when any matched. */
export function inOrder(rules: Rule[]): Rule {
  const [first, second] = rules
  if (rules.length === 0) return () => false
  if (rules.length === 1 && first !== undefined) return first
  if (rules.length === 2 && first !== undefined && second !== undefined) {
    return (value, roots, say, fields) => {
      const matched = first(value, roots, say, fields)
      return second(value, roots, say, fields) || matched
    }
  }
  return (value, roots, say, fields) => {
    let matched = false
    for (let index = 0; index < rules.length; index++) {
      if (rules[index]?.(value, roots, say, fields) === true) matched = true
    }
    return matched
  }
}

/** What a pattern asks for literally. */
export function asksOf(pattern: unknown): Asks {
  const literals = new Map<string, unknown>()
  const visit = (node: unknown, path: string): boolean => {
    if (!isMap(node)) {
      const literal = typeof node === 'number' || typeof node === 'boolean' || (typeof node === 'string' && node !== '*')
      if (literal && path !== '') literals.set(path, node)
      return literal
    }
    return Object.entries(node)
      .map(([key, inner]) => !key.startsWith('$') && visit(inner, path === '' ? key : `${path} ${key}`))
      .every(Boolean)
  }
  return { only: visit(pattern, ''), literals }
}

function mostAsked(rules: Guarded[], settled: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const { asks } of rules) {
    for (const field of asks.literals.keys())
      if (!settled.includes(field) && !field.slice(field.indexOf(' ') + 1).includes(' '))
        counts.set(field, (counts.get(field) ?? 0) + 1)
  }
  const [most] = [...counts].sort(([, left], [, right]) => right - left)
  return most !== undefined && most[1] > 1 ? most[0] : undefined
}

function isProven(asks: Asks, settled: readonly string[]): boolean {
  return asks.only && asks.literals.size > 0 && [...asks.literals.keys()].every((field) => settled.includes(field))
}

/** Reads one field, or one below it; own ones only. */
export function reader(field: string): (value: unknown) => unknown {
  const [outer = '', inner] = field.split(' ')
  if (inner === undefined) return (value) => own(value, outer)
  return (value) => own(own(value, outer), inner)
}

/** As with steps of paths, what isn't there costs no second look. */
function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const found = (value as PlainMap)[name] // an object, whose inherited fields are sorted out next
  return found !== undefined && Object.hasOwn(value, name) && !Array.isArray(value) ? found : undefined
}
