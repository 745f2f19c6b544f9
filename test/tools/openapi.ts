/**
 * Checks request bodies against a schema of an OpenAPI 3.1 document in `../shared/suites`. Those documents don't belong to
 * the project, so a test that uses them skips, visibly, where they are absent:
 * `describe.skipIf(!hasOpenApi('openai-openapi/openapi.yaml'))(…)`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

/** What one document says about its schemas. */
export interface OpenApi {
  /** What is wrong with a body, one sentence each; none when it fits the schema `#/components/schemas/<name>`. */
  check(name: string, body: unknown): string[]
  /** The properties that the schema names, those of its `allOf` parts included. */
  keys(name: string): ReadonlySet<string>
}

type Data = Record<string, unknown>

const suites = new URL('../../../shared/suites/', import.meta.url)

export function hasOpenApi(file: string): boolean {
  return existsSync(new URL(file, suites))
}

/** Reads a document (seconds, for one of megabytes); schemas are compiled when first asked for. */
export function openApi(file: string): OpenApi {
  // Not ours, so neither its size nor its keys are in question; the check for double keys takes half a minute here.
  const document = parse(readFileSync(new URL(file, suites), 'utf8'), { uniqueKeys: false, maxAliasCount: -1 }) as Data
  withoutNullable(document)
  withAnyOf(document)
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, validateSchema: false })
  ajv.addSchema(document, 'openapi')

  const schemaAt = (reference: string): Data => {
    const steps = reference.replace(/^#\//, '').split('/')
    return steps.reduce<Data>((node, step) => (node[step] ?? {}) as Data, document) // a schema, by the document's own reference
  }
  const keysOf = (schema: Data): string[] => {
    if (typeof schema['$ref'] === 'string') return keysOf(schemaAt(schema['$ref']))
    const parts = Array.isArray(schema['allOf']) ? (schema['allOf'] as Data[]) : []
    return [...Object.keys((schema['properties'] ?? {}) as Data), ...parts.flatMap(keysOf)]
  }

  return {
    check(name, body) {
      const valid = ajv.getSchema(`openapi#/components/schemas/${name}`)
      if (valid === undefined) throw new Error(`${file} has no schema ${name}`)
      // What is sent is JSON, so what is checked is too.
      return valid(JSON.parse(JSON.stringify(body))) ? [] : (valid.errors ?? []).map(sentence)
    },
    keys: (name) => new Set(keysOf(schemaAt(`#/components/schemas/${name}`))),
  }
}

function sentence({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath === '' ? 'the body' : instancePath} ${message ?? 'is wrong'} ${JSON.stringify(params)}`
}

/** `nullable` is OpenAPI 3.0's word; ajv knows it too, but refuses it where no `type` stands beside it. */
function withoutNullable(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  const map = node as Data // a map or a list; a list has no such key
  if (map['nullable'] === true && map['type'] === undefined) delete map['nullable']
  Object.values(map).forEach(withoutNullable)
}

/** The document's alternatives overlap (a user's message with its type is both an EasyInputMessage and an InputMessage): one is enough. */
function withAnyOf(node: unknown): void {
  if (typeof node !== 'object' || node === null) return
  const map = node as Data // a map or a list; a list has no such key
  if (Array.isArray(map['oneOf']) && map['anyOf'] === undefined) {
    map['anyOf'] = map['oneOf']
    delete map['oneOf']
  }
  Object.values(map).forEach(withAnyOf)
}
