/**
 * Milliseconds from `now` (an epoch) until what a rate-limit header says: a span (`6m0s`, `1h2m3s`, `12ms`, `1d`), seconds,
 * an epoch in seconds or milliseconds, RFC 3339 or an HTTP date. Garbage and the past give nothing.
 */
export function parseDuration(text: string, now = Date.now()): number | undefined {
  const plain = plainNumber(text)
  if (plain !== undefined)
    return valid(plain < epochSeconds ? plain * 1_000 : plain < epochMilliseconds ? plain * 1_000 - now : plain - now)
  return span(text.trim()) ?? untilDate(text, now)
}

const epochSeconds = 1e9 // September 2001, or 31 years: nobody asks to wait that long
const epochMilliseconds = 1e11

const units: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 }

function span(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) total += Number(count) * (units[unit ?? ''] ?? NaN)
  return valid(total)
}

/** Milliseconds until a moment: RFC 3339, or an HTTP date. */
export function untilDate(text: string, now: number): number | undefined {
  // Date.parse guesses at nearly anything: only the two forms that protocols use may reach it.
  if (!/^\s*(\d{4}-\d{2}-\d{2}[Tt ]|[A-Z][a-z]+, \d)/.test(text)) return undefined
  return valid(Date.parse(text) - now)
}

/** A plain, finite number that isn't negative. */
export function plainNumber(text: string): number | undefined {
  return /^\s*\d+(\.\d+)?(e\+?\d+)?\s*$/i.test(text) ? valid(Number(text)) : undefined
}

/** The value, if it is finite and not negative. */
export function valid(value: number): number | undefined {
  return Number.isFinite(value) && value >= 0 ? value : undefined
}
