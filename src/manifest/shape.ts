import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { ErrorObject, ValidateFunction } from 'ajv'

/** The part of JSON Schema that the manifest's schema uses. */
export interface Schema {
  $ref?: string
  title?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  /** What `pattern` means, in words: `expected an id`. */
  patternErrorMessage?: string
}

/** What checks against the schema of manifests, and against a part of it. */
export interface Shape {
  check(data: unknown): ErrorObject[]
  checkPart(schema: Schema, data: unknown): ErrorObject[]
  /** The schema itself, or the one that it refers to. */
  follow(schema: Schema): Schema
}

let shape: Shape | undefined

/** Made when first used: ajv and the schema take 100 ms, and only manifests of users are checked at run time. */
export function manifestShape(): Shape {
  shape ??= createShape()
  return shape
}

function createShape(): Shape {
  const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv') // require has no types
  const text = readFileSync(new URL('../../schemas/manifest.schema.json', import.meta.url), 'utf8')
  const root = JSON.parse(text) as Schema & { definitions: Record<string, Schema> } // our own file
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false })
  const whole = ajv.compile(root)
  const parts = new WeakMap<Schema, ValidateFunction>()
  const errorsOf = (check: ValidateFunction, data: unknown): ErrorObject[] => (check(data) ? [] : [...(check.errors ?? [])])

  return {
    check: (data) => errorsOf(whole, data),
    checkPart(schema, data) {
      const check = parts.get(schema) ?? ajv.compile({ definitions: root.definitions, allOf: [schema] })
      parts.set(schema, check)
      return errorsOf(check, data)
    },
    follow: ({ $ref, ...schema }) => ($ref ? (root.definitions[$ref.replace('#/definitions/', '')] ?? {}) : schema),
  }
}
