import { readFileSync } from 'node:fs'
import { code, table } from './markdown.ts'

/** The part of JSON Schema that schemas/model.schema.json uses. */
interface Schema {
  $ref?: string
  description?: string
  type?: string
  enum?: unknown[]
  default?: unknown
  anyOf?: Schema[]
  allOf?: Schema[]
  items?: Schema
  required?: string[]
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  examples?: unknown[]
}

const root = JSON.parse(readFileSync(new URL('../../schemas/model.schema.json', import.meta.url), 'utf8')) as Schema & {
  definitions: Record<string, Schema>
}

/** Every key of a model manifest, those of its maps behind them. */
export function modelKeyTable(): string {
  return table(['key', 'type', 'meaning', 'example'], rowsOf(root, ''))
}

function rowsOf(schema: Schema, before: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, written]) => {
    const path = `${before}${key}`
    const meant = follow(written)
    const inner = meant.properties === undefined ? mapOf(meant) : meant
    const deeper = inner === undefined ? [] : rowsOf(inner, meant.properties === undefined ? `${path}.<name>.` : `${path}.`)
    const required = schema.required?.includes(key) === true ? ' (required)' : ''
    const otherwise = written.default === undefined ? '' : ` Absent: ${code(String(written.default))}.`
    const meaning = `${written.description ?? meant.description ?? ''}${otherwise}`
    return [[code(path) + required, typeOf(meant), meaning, example(written)]].concat(deeper)
  })
}

/** What the values of a map are, where they are maps with keys of their own. */
function mapOf({ additionalProperties: values }: Schema): Schema | undefined {
  if (typeof values !== 'object') return undefined
  return [values, ...(values.anyOf ?? [])].map(follow).find(({ properties }) => properties !== undefined)
}

function follow(schema: Schema): Schema {
  const name = (schema.$ref ?? schema.allOf?.[0]?.$ref)?.replace('#/definitions/', '')
  if (name === undefined) return schema
  const found = root.definitions[name]
  if (found === undefined) throw new Error(`the schema has no definition "${name}"`)
  return found
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
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((one) => typeOf(follow(one))))].join(' or ')
  if (schema.items !== undefined) return `list of ${typeOf(follow(schema.items))}`
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(follow(schema.additionalProperties))}`
  return words[schema.type ?? ''] ?? ''
}

function example({ examples = [] }: Schema): string {
  return examples.map((value) => code(typeof value === 'string' ? value : JSON.stringify(value))).join(', ')
}
