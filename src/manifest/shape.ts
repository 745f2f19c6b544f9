import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Ajv, ErrorObject, ValidateFunction } from 'ajv'

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

/** Made when first used: only manifests of users are checked at run time. */
export function manifestShape(): Shape {
  shape ??= createShape(readSchema, existsSync(written) ? (require(written) as ValidateFunction) : undefined) // as writeCheck made it
  return shape
}

/**
 * The check of whole manifests as the text of a CommonJS module, which the build writes into dist: to load ajv and to
 * compile the schema takes 120 ms, to load this 5.
 */
export function writeCheck(): string {
  const ajv = createAjv({ source: true })
  const { default: write } = require('ajv/dist/standalone/index.js') as typeof import('ajv/dist/standalone/index.js') // require has no types
  return write(ajv, ajv.compile(readSchema()))
}

const require = createRequire(import.meta.url)
const written = fileURLToPath(new URL('../check.cjs', import.meta.url))

/** A whole schema. */
export type Root = Schema & { definitions: Record<string, Schema> }

function readSchema(): Root {
  return JSON.parse(readFileSync(new URL('../../schemas/manifest.schema.json', import.meta.url), 'utf8')) as Root // our own file
}

/** Compiles small rather than fast: a manifest is checked once, and this halves the time to the first check. */
function createAjv(code: { source?: boolean } = {}): Ajv {
  const { Ajv } = require('ajv') as typeof import('ajv') // require has no types
  const small = { inlineRefs: false, validateSchema: false, meta: false, code: { optimize: false, ...code } }
  return new Ajv({ allErrors: true, verbose: true, strict: false, ...small })
}

/** The check of a schema of ours; `made` is its check where the build has compiled it. */
export function createShape(read: () => Root, made?: ValidateFunction): Shape {
  const root = once(read)
  const ajv = once(() => createAjv())
  const whole = made ?? ajv().compile(root())
  const parts = new WeakMap<Schema, ValidateFunction>()
  const errorsOf = (check: ValidateFunction, data: unknown): ErrorObject[] => (check(data) ? [] : [...(check.errors ?? [])])

  return {
    check: (data) => errorsOf(whole, data),
    checkPart(schema, data) {
      const check = parts.get(schema) ?? ajv().compile({ definitions: root().definitions, allOf: [schema] })
      parts.set(schema, check)
      return errorsOf(check, data)
    },
    follow: ({ $ref, ...schema }) => ($ref ? (root().definitions[$ref.replace('#/definitions/', '')] ?? {}) : schema),
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
