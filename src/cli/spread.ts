/** How values lie. A percentile is there from as many values as it takes to tell it from the largest one. */
export interface Spread {
  count: number
  mean: number
  min: number
  max: number
  p50: number
  /** From 10 values. */
  p90: number | null
  /** From 100 values. */
  p99: number | null
}

/** Nothing where there are no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  if (min === undefined || max === undefined) return null
  return {
    count: sorted.length,
    mean: sumOf(sorted) / sorted.length,
    min,
    max,
    p50: percentile(sorted, 0.5),
    p90: sorted.length < 10 ? null : percentile(sorted, 0.9),
    p99: sorted.length < 100 ? null : percentile(sorted, 0.99),
  }
}

export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** Between two neighbours in proportion, as spreadsheets and NumPy do it. */
function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? NaN
  const above = sorted[Math.ceil(place)] ?? NaN
  return below + (above - below) * (place - Math.floor(place))
}
