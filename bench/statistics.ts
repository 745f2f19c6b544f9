export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2
}

/** Half of all rounds lie between these two. */
export function quartiles(values: number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
  return [at(0.25), at(0.75)]
}

/** The slope of a straight line through the points, by least squares. */
export function slope(points: { x: number; y: number }[]): number {
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [meanX, meanY] = [mean((point) => point.x), mean((point) => point.y)]
  const over = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0)
  return over / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
}

/** Three figures that matter, without an exponent: 0.512, 2.13, 24.6, 1234. */
export function figures(value: number, count = 3): string {
  if (!Number.isFinite(value)) return '–'
  const digits = value === 0 ? 0 : count - 1 - Math.floor(Math.log10(Math.abs(value)))
  return value.toFixed(Math.min(Math.max(digits, 0), 3))
}
