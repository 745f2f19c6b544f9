type Headers = Record<string, string>

/**
 * How many milliseconds a reply asks to wait: `retry-after-ms`, then `retry-after` (seconds or a date), then the resets of
 * those rate limits that are used up. Dates are read against the server's own `date`, so that a wrong clock here does no
 * harm. What isn't finite and ≥ 0 says nothing.
 */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const clock = Date.parse(headers['date'] ?? '')
  const serverNow = Number.isNaN(clock) ? now : clock
  return (
    longest(headers['retry-after-ms'], (text) => number(text)) ??
    longest(headers['retry-after'], (text) => valid((number(text) ?? NaN) * 1_000) ?? untilDate(text, serverNow)) ??
    resets(headers, serverNow)
  )
}

/** What `x-should-retry` says, which is said by who knows: it overrides what the status means. */
export function shouldRetry(headers: Headers): boolean | undefined {
  const said = headers['x-should-retry']?.trim().toLowerCase()
  return said === 'true' ? true : said === 'false' ? false : undefined
}

/**
 * Milliseconds from `now` (an epoch) until what a rate-limit header says: a span (`6m0s`, `1h2m3s`, `12ms`, `1d`), seconds,
 * an epoch in seconds or milliseconds, RFC 3339 or an HTTP date. Garbage and the past give nothing.
 */
export function parseDuration(text: string, now = Date.now()): number | undefined {
  const plain = number(text)
  if (plain !== undefined) return valid(plain < epochSeconds ? plain * 1_000 : plain < epochMilliseconds ? plain * 1_000 - now : plain - now)
  return span(text.trim()) ?? untilDate(text, now)
}

const epochSeconds = 1e9 // September 2001, or 31 years: nobody asks to wait that long
const epochMilliseconds = 1e11

/** A header that was sent twice arrives as `1, 5`: never sooner than the longest. A date has a comma of its own. */
function longest(text: string | undefined, read: (text: string) => number | undefined): number | undefined {
  if (text === undefined) return undefined
  const whole = read(text)
  if (whole !== undefined) return whole
  return most(text.split(',').map(read))
}

/**
 * Names differ (`x-ratelimit-reset-tokens`, `…-ratelimit-requests-reset`), the two words don't. A limit that says it has
 * something remaining isn't what stopped us.
 */
function resets(headers: Headers, now: number): number | undefined {
  const names = Object.keys(headers).filter((name) => name.includes('ratelimit') && /(^|[-_])reset([-_]|$)/.test(name))
  const usedUp = names.filter((name) => !(Number(headers[name.replace(/(^|[-_])reset([-_]|$)/, '$1remaining$2')] ?? 0) > 0))
  return most(usedUp.map((name) => parseDuration(headers[name] ?? '', now)))
}

const units: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6 }

function span(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/.test(text)) return undefined
  let total = 0
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g)) total += Number(count) * (units[unit ?? ''] ?? NaN)
  return valid(total)
}

function untilDate(text: string, now: number): number | undefined {
  // Date.parse guesses at nearly anything: only the two forms that protocols use may reach it.
  if (!/^\s*(\d{4}-\d{2}-\d{2}[Tt ]|[A-Z][a-z]+, \d)/.test(text)) return undefined
  return valid(Date.parse(text) - now)
}

function number(text: string): number | undefined {
  return /^\s*\d+(\.\d+)?(e\+?\d+)?\s*$/i.test(text) ? valid(Number(text)) : undefined
}

function valid(value: number): number | undefined {
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

function most(values: (number | undefined)[]): number | undefined {
  return values.reduce((longer, value) => (value !== undefined && (longer === undefined || value > longer) ? value : longer), undefined)
}
