import { isMap, type PlainMap } from '../lang/value.ts'
import type { Speech } from './speech.ts'
import type { Token } from './tokens.ts'

/** Says what was said of a frame, with other values in its slots. */
export type Make = (values: string[]) => Speech

/** The two probes' values, slot by slot. */
type Probed = readonly [first: string[], second: string[]]

/** What a field was in both probes, as a function of a frame's values; undefined when it isn't one. */
type Field = { always: unknown } | { of: (values: string[]) => unknown }

/** Compares what was said of two probes and finds the slots that its fields come from; undefined when they can't all be found. */
export function bind(said: [Speech, Speech | undefined], probed: Probed, kinds: Token['kind'][]): Make | undefined {
  const whole = fieldOf(said[0], said[1], probed, kinds)
  if (whole === undefined) return undefined
  return short(said[0], probed, kinds) ?? (('of' in whole ? whole.of : undefined) as Make | undefined) // made of a speech
}

/** The common ones as literals, which V8 gives one shape: a piece of text, and its block's number where the wire has one. */
function short(speech: Speech, [values]: Probed, kinds: Token['kind'][]): Make | undefined {
  if (speech.type !== 'text' && speech.type !== 'reasoning') return undefined
  const { type, delta, index } = speech
  const names = Object.keys(speech).join()
  const slot = slotOf(delta, values, kinds)
  if (slot === undefined || slotOf(index, values, kinds) !== undefined) return undefined
  if (names === 'type,delta') return (now) => ({ type, delta: now[slot] as string })
  if (names === 'type,index,delta') return (now) => ({ type, index, delta: now[slot] as string }) as Speech // as the one that was said
  return undefined
}

function slotOf(value: unknown, values: string[], kinds: Token['kind'][]): number | undefined {
  const kind = typeof value === 'string' ? 'text' : 'number'
  const slot = values.findIndex(
    (text, index) => kinds[index] === kind && (kind === 'text' ? text === value : Number(text) === value),
  )
  return slot < 0 ? undefined : slot
}

function fieldOf(first: unknown, second: unknown, probed: Probed, kinds: Token['kind'][]): Field | undefined {
  if (Array.isArray(first)) return Array.isArray(second) ? listOf(first, second, probed, kinds) : undefined
  if (isMap(first)) return isMap(second) ? mapOf(first, second, probed, kinds) : undefined
  if (typeof first === 'object' && first !== null) return undefined // bytes: one object can't be said of many frames
  const slot = typeof first === 'string' || typeof first === 'number' ? slotOf(first, probed[0], kinds) : undefined
  if (slot === undefined) return first === second ? { always: first } : undefined
  if (slotOf(second, probed[1], kinds) !== slot) return undefined
  return { of: typeof first === 'string' ? (values) => values[slot] : (values) => Number(values[slot]) }
}

function listOf(first: unknown[], second: unknown[], probed: Probed, kinds: Token['kind'][]): Field | undefined {
  if (first.length !== second.length) return undefined
  const items = first.map((item, index) => fieldOf(item, second[index], probed, kinds))
  if (!items.every((item) => item !== undefined)) return undefined
  return { of: (values) => items.map((item) => ('of' in item ? item.of(values) : item.always)) }
}

/** A new map each time, whose keys keep their order. */
function mapOf(first: PlainMap, second: PlainMap, probed: Probed, kinds: Token['kind'][]): Field | undefined {
  const names = Object.keys(first)
  if (names.join() !== Object.keys(second).join() || names.includes('__proto__')) return undefined
  const fields = names.map((name) => fieldOf(first[name], second[name], probed, kinds))
  if (!fields.every((field) => field !== undefined)) return undefined
  const always: PlainMap = {}
  const changing: [name: string, of: (values: string[]) => unknown][] = []
  for (const [index, field] of fields.entries()) {
    const name = names[index] as string // both lists are as long
    always[name] = 'of' in field ? undefined : field.always
    if ('of' in field) changing.push([name, field.of])
  }
  return {
    of: (values) => {
      const map = { ...always }
      for (const [name, of] of changing) map[name] = of(values)
      if (map.choice === 0) delete map.choice // as rules leave it away
      return map
    },
  }
}
