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
  default?: unknown
  /** What `pattern` means, in words: `expected an id`. */
  patternErrorMessage?: string
}

/** What checks against one of the schemas, and against a part of it. */
export interface Shape {
  check(data: unknown): ErrorObject[]
  checkPart(schema: Schema, data: unknown): ErrorObject[]
  /** The schema itself, or the one that it refers to. */
  follow(schema: Schema): Schema
  /** What a key of the whole means where it isn't written. */
  defaultOf(key: string): unknown
}

/** The schemas of what people write, by the names of their files. */
export type SchemaName = 'manifest' | 'model' | 'task'

/** Made when first used: only manifests of users are checked at run time. */
export const manifestShape = once(() => createShape('manifest'))

/** The same for a model's. */
export const modelShape = once(() => createShape('model'))

/** And of a structured task's. */
export const taskShape = once(() => createShape('task'))

/**
 * The check of whole manifests as the text of a CommonJS module, which the build writes into dist: to load ajv and to
 * compile the schema takes 120 ms, to load this 5.
 */
export function writeCheck(name: SchemaName = 'manifest'): string {
  const ajv = createAjv({ source: true })
  const { default: write } = require('ajv/dist/standalone/index.js') as typeof import('ajv/dist/standalone/index.js') // require has no types
  return write(ajv, ajv.compile(readSchema(name)))
}

const require = createRequire(import.meta.url)

/** Where the build puts what writeCheck gives. */
export const checkFiles: Record<SchemaName, string> = { manifest: 'check.cjs', model: 'check-model.cjs', task: 'check-task.cjs' }

type Root = Schema & { definitions: Record<string, Schema> }

function readSchema(name: SchemaName): Root {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.schema.json`, import.meta.url), 'utf8')) as Root // our own file
}

/** Compiles small rather than fast: a manifest is checked once, and this halves the time to the first check. */
function createAjv(code: { source?: boolean } = {}): Ajv {
  const { Ajv } = require('ajv') as typeof import('ajv') // require has no types
  const small = { inlineRefs: false, validateSchema: false, meta: false, code: { optimize: false, ...code } }
  return new Ajv({ allErrors: true, verbose: true, strict: false, ...small })
}

function createShape(name: SchemaName): Shape {
  const root = once(() => readSchema(name))
  const ajv = once(() => createAjv())
  const written = fileURLToPath(new URL(`../${checkFiles[name]}`, import.meta.url))
  const whole = existsSync(written) ? (require(written) as ValidateFunction) : ajv().compile(root()) // as writeCheck made it
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
    defaultOf: (key) => root().properties?.[key]?.default,
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
