import type { GbnfJsonSchema, LlamaGrammar } from 'node-llama-cpp'
import type { Llama } from './binding.ts'

type Schema = Record<string, unknown>

/**
 * A JSON Schema in the part of it that grammars can force. What a grammar can't say (patterns, ranges, `not`) is left out:
 * the reply is compared with the whole schema afterwards, so a grammar may be wider than its schema, never narrower in
 * what it demands.
 */
export function grammarOf(llama: Llama, schema: Schema): Promise<LlamaGrammar> {
  return llama.createGrammarForJsonSchema(forcible(schema) as Parameters<Llama['createGrammarForJsonSchema']>[0]) // the same type, said in another way
}

/** The same for a tool's arguments, whose text also stands in the prompt: keys keep their order, so that it reads as it was written. */
export function forcible(given: Schema): GbnfJsonSchema {
  const schema = inlined(given, { ...map(given.definitions), ...map(given.$defs) }, []) as Schema // a map stays one
  const $defs = Object.fromEntries(
    Object.entries({ ...map(schema.definitions), ...map(schema.$defs) }).map(([name, part]) => [name, convert(part)]),
  )
  const whole = convert(schema)
  return (Object.keys($defs).length === 0 ? whole : { ...whole, $defs }) as GbnfJsonSchema // by construction
}

/** The schema with those references written out that something stands beside: a grammar has no form for both. */
function inlined(part: unknown, defs: Schema, open: readonly string[]): unknown {
  if (Array.isArray(part)) return part.map((item) => inlined(item, defs, open))
  if (!isMap(part)) return part
  const { $ref, ...rest } = part
  const beside = Object.keys(rest).some((key) => !['title', 'description', '$defs', 'definitions'].includes(key))
  if (typeof $ref === 'string' && beside) return inlined({ ...rest, allOf: [{ $ref }, ...list(rest.allOf)] }, defs, open)
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => {
      if (key === 'const' || key === 'enum' || key === 'default' || key === 'examples') return [key, value]
      if (key !== 'allOf') return [key, inlined(value, defs, open)]
      return [key, list(value).map((one) => written(one, defs, open))]
    }),
  )
}

/** What a reference stands for; one that leads back to itself, or nowhere, stays a reference. */
function written(part: unknown, defs: Schema, open: readonly string[]): unknown {
  const ref = isMap(part) && typeof part.$ref === 'string' ? part.$ref : undefined
  const name = ref?.replace(/^#\/(?:\$defs|definitions)\//, '') ?? ''
  if (ref === undefined || !Object.hasOwn(defs, name) || open.includes(name)) return inlined(part, defs, open)
  return inlined(defs[name], defs, [...open, name])
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function convert(part: unknown): Schema {
  if (!isMap(part)) return anything
  const made = converted(part)
  const order = Object.keys(part)
  return Object.fromEntries(Object.entries(made).toSorted(([left], [right]) => order.indexOf(left) - order.indexOf(right)))
}

function converted(part: Schema): Schema {
  const described = typeof part.description === 'string' ? { description: part.description } : {}
  if (typeof part.$ref === 'string') return { $ref: part.$ref.replace('#/definitions/', '#/$defs/') }
  if ('const' in part) return { ...described, ...exactly(part.const) }
  if (Array.isArray(part.enum) && part.enum.every(isScalar)) return { ...described, enum: part.enum }
  if (Array.isArray(part.enum)) return { ...described, oneOf: part.enum.map(exactly) }
  for (const key of ['oneOf', 'anyOf']) {
    const choices = part[key]
    if (Array.isArray(choices) && choices.length > 0)
      return { ...described, oneOf: choices.map((choice) => convert(merged({ ...shared(part), allOf: [choice] }))) }
  }
  if (Array.isArray(part.allOf)) return convert(merged(part))
  const { type } = part
  if (Array.isArray(type) && type.some((name) => name === 'object' || name === 'array'))
    return { ...described, oneOf: type.map((name) => convert({ ...part, type: name })) }
  if (type === 'object' || (type === undefined && 'properties' in part)) return { ...described, ...object(part) }
  if (type === 'array' || (type === undefined && 'items' in part)) return { ...described, ...array(part) }
  if (type === 'string') return { ...described, type, ...text(part) }
  return type === undefined ? { ...described, ...anything } : { ...described, type }
}

/** Whatever it may be: a scalar, or a flat list or map of them. */
const anything: Schema = { type: ['string', 'number', 'boolean', 'null'] }

/** What stands beside `oneOf` holds for each of its choices. */
function shared(part: Schema): Schema {
  const { oneOf: _, anyOf: _any, description: _words, $defs: _defs, definitions: _definitions, ...rest } = part
  return rest
}

function merged({ allOf, ...own }: Schema): Schema {
  const parts = [own, ...list(allOf)].map(map).map((part) => (Array.isArray(part.allOf) ? merged(part) : part))
  const properties: Schema = Object.assign({}, ...parts.map((part) => map(part.properties)))
  const required = [...new Set(parts.flatMap((part) => list(part.required)))]
  return {
    ...Object.assign({}, ...parts), // maps make a map
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
  }
}

function object(part: Schema): Schema {
  const open = part.additionalProperties
  const more = isMap(open) ? convert(open) : open === true ? anything : open
  return {
    type: 'object',
    ...('properties' in part
      ? { properties: Object.fromEntries(Object.entries(map(part.properties)).map(([name, value]) => [name, convert(value)])) }
      : {}),
    // A grammar keeps to the properties that are named; where none is, an object may hold anything.
    ...(more === undefined ? ('properties' in part ? {} : { additionalProperties: anything }) : { additionalProperties: more }),
    ...(Array.isArray(part.required) ? { required: part.required } : {}),
    ...numbers(part, ['minProperties', 'maxProperties']),
  }
}

function array(part: Schema): Schema {
  const first = Array.isArray(part.prefixItems) ? part.prefixItems : Array.isArray(part.items) ? part.items : undefined
  return {
    type: 'array',
    ...(first === undefined ? {} : { prefixItems: first.map(convert) }),
    ...(Array.isArray(part.items) || part.items === false ? {} : { items: convert(part.items ?? true) }),
    ...numbers(part, ['minItems', 'maxItems']),
  }
}

function text(part: Schema): Schema {
  if (part.format === 'date' || part.format === 'time' || part.format === 'date-time') return { format: part.format }
  return numbers(part, ['minLength', 'maxLength'])
}

/** One value and no other. */
function exactly(value: unknown): Schema {
  if (Array.isArray(value))
    return { type: 'array', prefixItems: value.map(exactly), minItems: value.length, maxItems: value.length }
  if (!isMap(value)) return { const: value }
  return { type: 'object', properties: Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, exactly(inner)])) }
}

function numbers(part: Schema, keys: string[]): Schema {
  return Object.fromEntries(keys.flatMap((key) => (typeof part[key] === 'number' ? [[key, part[key]]] : [])))
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
}

function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function map(value: unknown): Schema {
  return isMap(value) ? value : {}
}
