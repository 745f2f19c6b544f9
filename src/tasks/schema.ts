import { createRequire } from 'node:module'
import { ModelwireError } from '../core/error.ts'
import type { JsonSchema } from './task.ts'

const require = createRequire(import.meta.url)

/** What doesn't fit, in words for people and models; nothing when all does. */
export type SchemaCheck = (value: unknown) => Misfit[]

export interface Misfit {
  /** Dotted, as in `segments.0.start`; empty for the value itself. */
  field: string
  message: string
}

interface AjvError {
  instancePath: string
  keyword: string
  params: Record<string, unknown>
  message?: string
}
type Validate = ((value: unknown) => boolean) & { errors?: AjvError[] | null }

const compiled = new WeakMap<JsonSchema, SchemaCheck>()

/** Compiles a JSON Schema, once each. Throws `invalid_request` for what isn't one; `name` says whose it is. */
export function schemaCheck(schema: JsonSchema, name: string): SchemaCheck {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const validate = compile(schema, name)
  const check: SchemaCheck = (value) => (validate(value) ? [] : (validate.errors ?? []).slice(0, most).map(misfit))
  compiled.set(schema, check)
  return check
}

/** A model that got a list wrong got each item wrong: the first ones tell. */
const most = 20

function compile(schema: JsonSchema, name: string): Validate {
  const old = /draft-0[4-7]/.test(typeof schema['$schema'] === 'string' ? schema['$schema'] : '')
  const { Ajv } = old ? (require('ajv') as typeof import('ajv')) : withAjv(require('ajv/dist/2020.js'))
  try {
    return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema) as Validate
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it is broken'
    throw new ModelwireError('invalid_request', `\`${name}\` isn't a JSON Schema: ${reason}`, { cause: error })
  }
}

/** The module for the newer draft calls its class otherwise. */
function withAjv(module: typeof import('ajv/dist/2020.js')): { Ajv: typeof module.Ajv2020 } {
  return { Ajv: module.Ajv2020 }
}

function misfit({ instancePath, keyword, params, message }: AjvError): Misfit {
  const at = instancePath.split('/').slice(1).join('.')
  const key =
    keyword === 'required'
      ? params['missingProperty']
      : keyword === 'additionalProperties'
        ? params['additionalProperty']
        : undefined
  const field = typeof key === 'string' ? [at, key].filter((part) => part !== '').join('.') : at
  const allowed = Array.isArray(params['allowedValues'])
    ? `: ${params['allowedValues'].map((value) => JSON.stringify(value)).join(', ')}`
    : ''
  return { field, message: `${message ?? "doesn't fit"}${allowed}` }
}

/** `segments.0.start must be number`. */
export function inWords({ field, message }: Misfit): string {
  return field === '' ? `the value ${message}` : `${field} ${message}`
}
