import { readFileSync } from 'node:fs'
import { filters } from '../../src/lang/filters.ts'
import { patternOperators } from '../../src/lang/pattern.ts'
import { constructNames } from '../../src/lang/template.ts'
import { speechFields } from '../../src/pipeline/speech.ts'
import { code, table } from './markdown.ts'

/** The part of JSON Schema that schemas/manifest.schema.json uses. */
interface Schema {
  $ref?: string
  title?: string
  description?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  examples?: unknown[]
}

const root = JSON.parse(readFileSync(new URL('../../schemas/manifest.schema.json', import.meta.url), 'utf8')) as Schema & {
  definitions: Record<string, Schema>
}

function definition(name: string): Schema {
  const found = root.definitions[name]
  if (found === undefined) throw new Error(`the schema has no definition "${name}"`)
  return found
}

const companions: Record<string, string[]> = { $each: ['$where', '$do'], $at: ['$do'], $if: ['$then', '$else'], $switch: ['$else'] }

/** The constructs that the compiler knows, in the schema's words. */
export function constructTable(): string {
  const { properties = {} } = definition('Template')
  return table(
    ['construct', 'beside it', 'meaning'],
    constructNames.map((name) => [code(name), (companions[name] ?? []).map(code).join(', '), meaning(properties[name])]),
  )
}

export function patternTable(): string {
  const { properties = {} } = definition('Pattern')
  return table(
    ['operator', 'fits when'],
    patternOperators.map((name) => [code(name), meaning(properties[name])]),
  )
}

/** Filters with the comments that stand above them in the table of src/lang/filters.ts. */
export function filterTable(): string {
  const source = readFileSync(new URL('../../src/lang/filters.ts', import.meta.url), 'utf8')
  const comments = new Map(
    [...source.matchAll(/\/\*\* (.+?) \*\/\n {2}(\w+):/g)].map(([, comment = '', name = '']) => [name, comment]),
  )
  return table(
    ['filter', 'what it gives'],
    Object.keys(filters).map((name) => [code(name), comments.get(name) ?? 'What its name says.']),
  )
}

/** What rules can emit; fields in bold must not all be blank, or nothing is said. */
export function eventTable(): string {
  const said = definition('Emit').anyOf ?? []
  const schemas = new Map(said.map(follow).map((schema) => [String(schema.properties?.type?.const), schema]))
  const rows = Object.entries(speechFields).map(([type, { fields, payload }]) => {
    const { description = '', properties = {} } = schemas.get(type) ?? {}
    const list = fields.map(
      (field) => `${payload.includes(field) ? `**${code(field)}**` : code(field)} ${lower(meaning(properties[field]))}`,
    )
    return [code(type), description, list.join('; ')]
  })
  return table(['type', 'says', 'fields'], rows)
}

// ---- all keys, from the schema -----------------------------------------------------------------------------------

/** Parts that have tables or sections of their own. */
const elsewhere: Record<string, string> = {
  Template: '[template](#templates)',
  Pattern: '[pattern](#patterns)',
  Expression: '[expression](#paths)',
  Fragment: 'template or rules',
  Emit: '[event](#what-rules-can-say)',
  Reason: '[reason](#finish-reasons)',
  Name: 'name of a variable',
  Names: 'name of a variable, or a list',
  Id: 'id',
  Parents: 'id, or a list of ids',
  Texts: 'map of texts',
  Duration: 'span of time, such as `30s`',
  Clock: 'span of time, such as `30s`, or `none`',
}

/** One section a map of the schema, in the order in which they are first met. */
export function keyReference(): string {
  const seen = new Set<string>()
  const waiting: [string, Schema][] = [['Manifest', root]]
  const sections: string[] = []
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const [name, schema] = next
    if (seen.has(name)) continue
    seen.add(name)
    sections.push(section(name, schema))
    waiting.unshift(...mentioned(schema))
  }
  return sections.filter((text) => text !== '').join('\n\n')
}

function section(name: string, schema: Schema): string {
  const keys = Object.entries(schema.properties ?? {})
  if (keys.length === 0) return choices(name, schema)
  const rows = keys.map(([key, value]) => [
    code(key) + (schema.required?.includes(key) === true ? ' (required)' : ''),
    typeOf(value),
    meaning(value),
    example(value),
  ])
  const shown = rows.some((row) => row[3] !== '')
    ? { head: ['key', 'type', 'meaning', 'example'], rows }
    : { head: ['key', 'type', 'meaning'], rows: rows.map((row) => row.slice(0, 3)) }
  const about = name === 'Manifest' ? [] : [schema.description ?? '']
  return [`### ${heading(name)}`, ...about, table(shown.head, shown.rows)].join('\n\n')
}

/** A definition that is one of several forms, or a map of others. */
function choices(name: string, schema: Schema): string {
  const form =
    schema.additionalProperties !== undefined || schema.anyOf !== undefined || schema.enum !== undefined
      ? typeOf({ ...schema, title: '' })
      : ''
  return form === ''
    ? ''
    : [`### ${heading(name)}`, ...(schema.description === undefined ? [] : [schema.description]), `Form: ${form}.`].join('\n\n')
}

/** The definitions that a schema leads to, in its order. */
function mentioned(schema: Schema): [string, Schema][] {
  const found: [string, Schema][] = []
  const visit = (node: Schema | undefined): void => {
    if (node === undefined) return
    const name = node.$ref?.replace('#/definitions/', '')
    if (name !== undefined) {
      if (!(name in elsewhere)) found.push([name, definition(name)])
      return
    }
    if (node !== schema && node.properties !== undefined && node.title !== undefined) return void found.push([node.title, node])
    for (const inner of [...(node.allOf ?? []), ...(node.anyOf ?? []), ...Object.values(node.properties ?? {})]) visit(inner)
    visit(node.items)
    if (typeof node.additionalProperties === 'object') visit(node.additionalProperties)
  }
  visit(schema)
  return found
}

function follow(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : definition(schema.$ref.replace('#/definitions/', ''))
}

const words: Record<string, string> = {
  string: 'text',
  object: 'map',
  array: 'list',
  boolean: '`true` or `false`',
  number: 'number',
  integer: 'whole number',
}

function typeOf(schema: Schema): string {
  const only = schema.allOf?.[0]
  if (only !== undefined && schema.$ref === undefined) return typeOf(only)
  if (schema.$ref !== undefined) return linked(schema.$ref.replace('#/definitions/', ''))
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined)
    return schema.enum
      .filter((value) => value !== null)
      .map((value) => code(String(value)))
      .join(', ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf).filter((type) => type !== ''))].join(', or ')
  if (schema.properties !== undefined && schema.title !== undefined && schema.title !== '') return linked(schema.title)
  const types = [schema.type ?? []].flat().filter((type) => type !== 'null')
  if (types.includes('array') && schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  if (types.includes('object') && typeof schema.additionalProperties === 'object')
    return `map of ${typeOf(schema.additionalProperties)}`
  return types.map((type) => words[type] ?? type).join(' or ')
}

function linked(name: string): string {
  const title = heading(name)
  return elsewhere[name] ?? `[${title.toLowerCase()}](#${title.toLowerCase().replaceAll(' ', '-')})`
}

/** `HeaderAuth` → `Header auth`. */
function heading(name: string): string {
  const spaced = name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return spaced
}

function meaning(schema: Schema | undefined): string {
  return schema?.description ?? (schema === undefined ? '' : (follow(schema).description ?? ''))
}

function example(schema: Schema): string {
  return (schema.examples ?? []).map((value) => code(typeof value === 'string' ? value : JSON.stringify(value))).join(', ')
}

function lower(text: string): string {
  const trimmed = text.replace(/\.$/, '')
  return /^[A-Z][a-z ]/.test(trimmed) ? trimmed.charAt(0).toLowerCase() + trimmed.slice(1) : trimmed
}
