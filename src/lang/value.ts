/**
 * The language's one idea of nothing: a missing step, the wrong kind of value and `null` are all `undefined`.
 */

/** What an expression can see besides the value at hand. */
export interface Roots {
  request?: unknown
  headers?: Record<string, string>
  status?: number
  /** The manifest's declared variables; never the process's environment. */
  env?: Record<string, string>
  /** Milliseconds since the epoch, of the call's start and of now. */
  start?: number
  now?: number
  /** Set once a stream's `start` is whole: the rules needn't read it from every further frame. */
  started?: boolean
  /** Told of every value that a filter gets; only while a frame's shape is being learnt. */
  filtered?: (value: unknown) => void
  /** Told when a `$switch` has no case for a value of the request. */
  miss?: (expression: string, value: unknown, where: string) => void
  /** Where each key of a built map comes from; filled only for `explain`. */
  origins?: WeakMap<object, object>
}

/** A compiled expression or template. */
export type Eval = (at: unknown, roots: Roots) => unknown

export type PlainMap = Record<string, unknown>

export function isMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

/** Nothing, `""` or `[]`. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
}

/** Names that every object inherits; refused in manifests, so that reading a name can't reach a prototype. */
export const inheritedNames: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype'])

/** How a value reads inside a text. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value)
}
