import { type ErrorKind, ModelwireError } from './error.ts'

/** Milliseconds, 24 days and a half: setTimeout takes what is longer for 1. */
export const longestTimer = 2 ** 31 - 1

/** A timer for any span: one that is too long for a timer rings at the longest. */
export function startTimer(ring: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(ring, Math.min(ms, longestTimer))
}

/** How a span that somebody wrote is checked. */
export interface SpanRule {
  /** The option's name, as it was written. */
  name: string
  kind: ErrorKind
  /** Where 0 means something, what it means. */
  zero?: string
}

/** Throws for milliseconds that aren't a finite number above 0. Absent ones are fine. */
export function checkSpan(ms: unknown, { name, kind, zero }: SpanRule): void {
  if (ms === undefined) return
  if (typeof ms === 'number' && Number.isFinite(ms) && (ms > 0 || (ms === 0 && zero !== undefined))) return
  const got = typeof ms === 'number' || ms === null ? String(ms) : typeof ms
  throw new ModelwireError(kind, `expected milliseconds as \`${name}\`, a number above 0, got ${got}`, {
    hint: zero === undefined ? 'leave it out where there is to be no such limit' : `0 ${zero}`,
  })
}
