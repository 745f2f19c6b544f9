const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const year2001 = 978_307_200

/**
 * Milliseconds from `now` until what a rate-limit header says: a span (`6m0s`, `12ms`, `1h2m3s`, `1d`), seconds, a moment
 * (RFC 3339, HTTP date) or an epoch in seconds or milliseconds. Garbage and what lies in the past beyond 0 give nothing.
 */
export function msUntil(text: string, now: number): number | undefined {
  const trimmed = text.trim()
  if (/^\d+(?:\.\d+)?$/.test(trimmed)) return fromNumber(Number(trimmed), now)
  return fromSpan(trimmed) ?? fromMoment(trimmed, now)
}

function fromNumber(value: number, now: number): number | undefined {
  if (!Number.isFinite(value)) return undefined
  if (value > year2001 * 1_000) return Math.max(0, value - now)
  if (value > year2001) return Math.max(0, value * 1_000 - now)
  return value * 1_000
}

function fromSpan(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined
  let total = 0
  for (const [, digits = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) total += Number(digits) * (units[unit] ?? 0)
  return total
}

function fromMoment(text: string, now: number): number | undefined {
  if (!/^(?:\d{4}-\d{2}-\d{2}T|[A-Z][a-z]{2}, )/.test(text)) return undefined
  const moment = Date.parse(text)
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - now)
}
