import type { ErrorObject } from 'ajv'
import { ModelwireError } from '../core/error.ts'
import { isMap } from './extend.ts'
import type { Source } from './load.ts'
import { kindOf, quote } from './mistake.ts'
import { format, positionOf, type Position } from './position.ts'
import { manifestShape, type Schema, type Shape } from './shape.ts'
import { didYouMean } from './suggest.ts'

/** One thing that is wrong, or looks so. */
export interface Problem {
  where: Position | undefined
  message: string
  hint?: string
  severity: 'error' | 'warning'
}

/** Compares a manifest, as it was written, with its schema. Finds every mistake; a line over 120 columns is a warning. */
export function checkShape(source: Source, shape: Shape = manifestShape()): Problem[] {
  const mistakes = simplify(shape.check(source.data), shape).map((error) => toProblem(error, source, shape))
  return [...mistakes.toSorted(byPlace), ...longLines(source)]
}

/** Throws the first mistake, with a count of the others. */
export function checkSource(source: Source): void {
  const [first, ...others] = checkShape(source).filter(({ severity }) => severity === 'error')
  if (!first) return
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  throw new ModelwireError('manifest', first.message + more, { where: format(first.where), hint: first.hint })
}

const widest = 120

function longLines({ file, text }: Source): Problem[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trimEnd().length <= widest) return []
    const where = { file, line: index + 1, column: widest + 1 }
    return [{ where, message: `expected at most ${widest} columns, got ${line.trimEnd().length}`, severity: 'warning' as const }]
  })
}

// ---- of what ajv says, what a reader needs

/** ajv tells what each alternative of an `anyOf` misses; only the one that was meant is of interest. */
function simplify(errors: ErrorObject[], shape: Shape): ErrorObject[] {
  const kept: ErrorObject[] = []
  // An `anyOf` stands behind what its alternatives said, so we go from the end and drop what lies below it.
  for (const error of errors.toReversed()) {
    // What a key's name misses is told once more by `propertyNames`, which knows the map.
    if (error.keyword === 'if' || error.propertyName !== undefined) continue
    if (kept.some((other) => other.keyword === 'anyOf' && covers(other, error))) continue
    kept.push(error)
  }
  return kept.toReversed().flatMap((error) => (error.keyword === 'anyOf' ? alternatives(error, shape) : [error]))
}

function covers(anyOf: ErrorObject, error: ErrorObject): boolean {
  return error.instancePath === anyOf.instancePath || error.instancePath.startsWith(`${anyOf.instancePath}/`)
}

function alternatives(error: ErrorObject, shape: Shape): ErrorObject[] {
  const written = error.schema as Schema[] // of an anyOf, by our own schema
  const branches = written.map((branch) => shape.follow(branch))
  const wrong = wrongTag(error, branches)
  if (wrong) return [wrong]
  const scores = branches.map((branch) => likeness(branch, error.data, shape))
  const best = Math.max(...scores)
  const meant = written[scores.indexOf(best)]
  if (!meant || best === -Infinity) return [error]
  const inner = simplify(shape.checkPart(meant, error.data), shape)
  return inner.map((found) => Object.assign({}, found, { instancePath: error.instancePath + found.instancePath }))
}

/** Where all maps that are allowed are told apart by a constant under one key: is the written one none of them? */
function wrongTag(error: ErrorObject, branches: Schema[]): ErrorObject | undefined {
  const { data } = error
  if (!isMap(data) || !('type' in data)) return undefined
  const known: unknown[] = branches.map(({ properties }) => properties?.['type']?.const).filter((value) => value !== undefined)
  if (known.length === 0 || known.includes(data['type'])) return undefined
  return { ...error, keyword: 'enum', instancePath: `${error.instancePath}/type`, schema: known, data: data['type'] }
}

/** How much a value looks as if this alternative was meant. */
function likeness(schema: Schema, data: unknown, shape: Shape): number {
  if (schema.anyOf) return Math.max(...schema.anyOf.map((branch) => likeness(shape.follow(branch), data, shape)))
  const types = schema.enum ? schema.enum.map(typeOf) : typesOf(schema)
  if (!types.includes(typeOf(data))) return -Infinity
  if (!isMap(data)) return 0
  return Object.entries(data).reduce((sum, [key, value]) => sum + likenessOf(schema.properties?.[key], value), 0)
}

function likenessOf(property: Schema | undefined, value: unknown): number {
  if (!property) return 0
  if (property.const === undefined) return 1
  return property.const === value ? 100 : -100
}

// ---- in words

function toProblem(error: ErrorObject, source: Source, shape: Shape): Problem {
  const said = describe(error, shape)
  return { where: placeOf(error, source), severity: 'error', ...said }
}

function describe(error: ErrorObject, shape: Shape): { message: string; hint?: string } {
  const { keyword, params, data } = error
  const parent = (error.parentSchema ?? {}) as Schema // ajv gives it with `verbose`
  switch (keyword) {
    case 'additionalProperties':
      return unknownKey(String(params['additionalProperty']), parent)
    case 'required':
      return missingKey(String(params['missingProperty']), parent, data as object) // only maps can miss a key
    case 'type':
    case 'anyOf':
      return wrongType(data, expectedOf(keyword === 'anyOf' ? { anyOf: error.schema as Schema[] } : parent, shape))
    case 'enum':
      return wrongValue(
        data,
        (error.schema as unknown[]).filter((value) => value !== null),
      ) // of an enum, by JSON Schema
    case 'pattern':
      return { message: `${parent.patternErrorMessage ?? 'expected other text'}, got ${kindOf(data)}` }
    case 'propertyNames':
      return wrongName(String(params['propertyName']), error.schema as Schema, parent) // of propertyNames, by our own schema
    case 'minItems':
      return { message: 'expected at least one item, got an empty list' }
    case 'minProperties':
      return { message: `expected a key of ${nameOf(parent)}, got an empty map`, hint: keysOf(parent) }
    case 'maxProperties':
      return { message: `expected one key of ${nameOf(parent)}, got ${listed(Object.keys(data as object))}` } // a map, as above
    default:
      return { message: `expected another value, got ${kindOf(data)}: ${error.message}` }
  }
}

function unknownKey(key: string, parent: Schema): { message: string; hint: string } {
  const keys = Object.keys(parent.properties ?? {})
  return { message: `expected a key of ${nameOf(parent)}, got ${quote(key)}${didYouMean(key, keys)}`, hint: keysOf(parent) }
}

function missingKey(key: string, parent: Schema, data: object): { message: string } {
  const written = Object.keys(data)
  return {
    message: `expected the key "${key}" in ${nameOf(parent)}, got ${written.length > 0 ? `only ${listed(written)}` : 'an empty map'}`,
  }
}

function wrongType(data: unknown, expected: string[]): { message: string; hint?: string } {
  const message = `expected ${expected.join(' or ')}, got ${kindOf(data)}`
  const isPlain = typeof data === 'number' || typeof data === 'boolean'
  if (isPlain && expected.some((word) => word === 'text' || word.startsWith('"'))) return { message, hint: `Quote it: "${data}".` }
  return { message }
}

function wrongValue(data: unknown, values: unknown[]): { message: string } {
  if (values.length === 1) return { message: `expected ${kindOf(values[0])}, got ${kindOf(data)}` }
  const meant = typeof data === 'string' ? didYouMean(data, values.map(String)) : ''
  return { message: `expected one of ${listed(values)}, got ${kindOf(data)}${meant}` }
}

function wrongName(name: string, rule: Schema, parent: Schema): { message: string; hint?: string } {
  const message = `${rule.patternErrorMessage ?? 'expected another key'}, got ${quote(name)}`
  const keys = Object.keys(parent.properties ?? {}).filter((key) => key.startsWith('$'))
  if (!name.startsWith('$') || keys.length === 0) return { message }
  return { message: message + didYouMean(name, keys), hint: `There are ${keys.join(', ')}.` }
}

function expectedOf(schema: Schema, shape: Shape): string[] {
  const followed = shape.follow(schema)
  if (followed.anyOf) return [...new Set(followed.anyOf.flatMap((branch) => expectedOf(branch, shape)))]
  if (followed.enum) return followed.enum.filter((value) => value !== null).map((value) => quote(String(value)))
  return typesOf(followed).flatMap((type) => words[type] ?? [])
}

const words: Record<string, string> = {
  string: 'text',
  object: 'a map',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  integer: 'a whole number',
}

function nameOf({ title }: Schema): string {
  return title ?? 'this map'
}

function keysOf({ properties }: Schema): string {
  return `Its keys are ${listed(Object.keys(properties ?? {}))}.`
}

function listed(values: unknown[]): string {
  return values.length > 0 ? values.join(', ') : 'none'
}

function typesOf({ type }: Schema): string[] {
  return type === undefined ? [] : [type].flat()
}

function typeOf(data: unknown): string {
  if (data === null) return 'null'
  return Array.isArray(data) ? 'array' : typeof data
}

// ---- where

/** The entry that is to blame, or the nearest one around it whose place is known. */
function placeOf(error: ErrorObject, { file, data }: Source): Position {
  const keys = error.instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = error.params['additionalProperty'] ?? error.params['propertyName']
  if (typeof key === 'string') keys.push(key)
  let place: Position = { file, line: 1, column: 1 }
  let at: unknown = data
  for (const step of keys) {
    if (typeof at !== 'object' || at === null) break
    place = positionOf(at, step) ?? place
    at = Object.hasOwn(at, step) ? (at as Record<string, unknown>)[step] : undefined // just seen to have it
  }
  return place
}

function byPlace(a: Problem, b: Problem): number {
  return (a.where?.line ?? 0) - (b.where?.line ?? 0) || (a.where?.column ?? 0) - (b.where?.column ?? 0)
}
