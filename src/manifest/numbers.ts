import type { Prices } from '../core/cost.ts'
import { parseDuration } from '../core/duration.ts'
import type { Timeouts } from '../core/request.ts'
import { glob } from '../lang/pattern.ts'
import { isMap } from '../lang/value.ts'

/** A manifest's clocks, in milliseconds; 0 for none. */
export function readTimeouts(node: unknown): Timeouts {
  if (!isMap(node)) return {}
  const clocks = Object.entries(node).filter(([, value]) => typeof value === 'string')
  return Object.fromEntries(clocks.map(([clock, value]) => [clock, value === 'none' ? 0 : parseDuration(String(value))]))
}

/** What a model costs, by the first row of the manifest's `prices` that fits its name. */
export function readPrices(node: unknown): (model: string) => Prices {
  const rows = Object.entries(isMap(node) ? node : {}).map(([name, prices]) => ({
    fits: glob(name),
    prices: (prices ?? {}) as Prices,
  })) // the schema allows nothing else
  return (model) => rows.find(({ fits }) => fits(model))?.prices ?? {}
}
