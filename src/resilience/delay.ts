import { parseDuration, plainNumber, untilDate, valid } from '../core/duration.ts'

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
    longest(headers['retry-after-ms'], (text) => plainNumber(text)) ??
    longest(headers['retry-after'], (text) => valid((plainNumber(text) ?? NaN) * 1_000) ?? untilDate(text, serverNow)) ??
    resets(headers, serverNow)
  )
}

/** What `x-should-retry` says, which is said by who knows: it overrides what the status means. */
export function shouldRetry(headers: Headers): boolean | undefined {
  const said = headers['x-should-retry']?.trim().toLowerCase()
  return said === 'true' ? true : said === 'false' ? false : undefined
}

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

function most(values: (number | undefined)[]): number | undefined {
  return values.reduce(
    (longer, value) => (value !== undefined && (longer === undefined || value > longer) ? value : longer),
    undefined,
  )
}
