import type { CallOptions } from '../core/request.ts'
import { ModelwireError } from '../core/error.ts'
import { checkSpan } from '../core/timer.ts'

/** What a request, a provider's settings and the runtime's may all say of time. */
type Waits = Pick<CallOptions, 'timeout' | 'timeouts' | 'retry'>

/** Throws for spans that no clock can be set to; `where` leads to them, as in `options.`. */
export function checkWaits({ timeout, timeouts, retry }: Waits, kind: 'invalid_request' | 'configuration', where = ''): void {
  if (timeout === undefined && timeouts === undefined && retry === undefined) return
  checkSpan(timeout, { name: `${where}timeout`, kind })
  for (const [clock, ms] of Object.entries(timeouts ?? {}))
    checkSpan(ms, { name: `${where}timeouts.${clock}`, kind, zero: 'switches a clock off' })
  if (!retry) return
  const { attempts, base, max } = retry
  checkSpan(base, { name: `${where}retry.base`, kind, zero: "doesn't wait" })
  checkSpan(max, { name: `${where}retry.max`, kind, zero: "doesn't wait" })
  if (attempts === undefined || attempts >= 0) return // NaN is neither, and would try for ever
  throw new ModelwireError(kind, `expected a number as \`${where}retry.attempts\`, got ${String(attempts)}`, {
    hint: '1 tries once; `retry: false` does so too',
  })
}
