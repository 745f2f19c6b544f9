import { ModelwireError } from '../core/error.ts'
import { format, type Position } from './position.ts'

/** A mistake in a manifest, as an error of kind `manifest`. */
export function mistake(message: string, position: Position | undefined, hint?: string): ModelwireError {
  return new ModelwireError('manifest', message, { where: format(position), hint })
}

/** What a value is, in the words of a message. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  if (typeof value === 'string') return quote(value)
  return `the ${typeof value} ${String(value)}`
}

/** Text in quotes, cut where it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text)
}
