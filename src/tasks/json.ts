import type { Misfit } from './schema.ts'

/** What of a value JSON can't hold, and where the bytes in it stand, which only media may be. */
export interface JsonCheck {
  misfit?: Misfit
  bytes: { field: string; value: Uint8Array }[]
}

/** Lists and maps in each other: whatever reads them goes down with them. */
const deepest = 200

/** Looks for what JSON would refuse, or change without a word: it writes NaN as null and a Map as {}. */
export function checkJson(value: unknown, field = ''): JsonCheck {
  const bytes: JsonCheck['bytes'] = []
  const misfit = look(value, { field, above: [], bytes })
  return misfit === undefined ? { bytes } : { misfit, bytes }
}

interface Spot {
  field: string
  /** The lists and maps that it stands in. */
  above: readonly object[]
  bytes: JsonCheck['bytes']
}

function look(value: unknown, spot: Spot): Misfit | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : wrong(spot, `is ${value}`)
  if (typeof value !== 'object') return wrong(spot, value === undefined ? 'is undefined' : `is a ${typeof value}`)
  if (value instanceof Uint8Array) {
    spot.bytes.push({ field: spot.field, value })
    return undefined
  }
  if (spot.above.includes(value)) return wrong(spot, 'leads back into itself')
  if (spot.above.length >= deepest) return wrong(spot, `lies more than ${deepest} lists and maps deep`)
  return lookInside(value, { ...spot, above: [...spot.above, value] })
}

function lookInside(value: object, spot: Spot): Misfit | undefined {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = look(value[index], { ...spot, field: below(spot.field, index) })
      if (found !== undefined) return found
    }
    return undefined
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1)
  if (kind !== 'Object') return wrong(spot, `is a ${kind}`)
  if ('toJSON' in value && typeof value.toJSON === 'function') return wrong(spot, 'writes itself in its own way (toJSON)')
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue // absent, as in any map of options
    const found = look(inner, { ...spot, field: below(spot.field, key) })
    if (found !== undefined) return found
  }
  return undefined
}

function below(field: string, key: string | number): string {
  return field === '' ? String(key) : `${field}.${key}`
}

function wrong({ field }: Spot, what: string): Misfit {
  return { field, message: `${what}, which JSON can't hold` }
}
