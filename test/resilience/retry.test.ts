import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ModelwireError } from '../../src/core/error.ts'
import type { ErrorDetails, ErrorKind } from '../../src/core/error.ts'
import { createBudget } from '../../src/resilience/budget.ts'
import type { Layer } from '../../src/resilience/layer.ts'
import { createPolicy } from '../../src/resilience/policy.ts'
import type { PolicyOptions, RunOptions } from '../../src/resilience/policy.ts'
import { retryableStatus } from '../../src/resilience/retry.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const failure = (kind: ErrorKind, details: ErrorDetails = {}): ModelwireError => new ModelwireError(kind, 'it failed', details)

/** Runs a call whose attempts fail with these errors in turn and then succeed; gives when each attempt began, and the end. */
async function run(
  errors: ModelwireError[],
  options: PolicyOptions = {},
  call: RunOptions = {},
  signal = new AbortController().signal,
) {
  const policy = createPolicy({ random: () => 1, ...options })
  const start = performance.now()
  const at: number[] = []
  const outcome = policy
    .run(
      async (n) => {
        at.push(Math.round(performance.now() - start))
        const error = errors[n - 1]
        if (error) throw error
        return `attempt ${n}`
      },
      signal,
      call,
    )
    .then(
      (value) => ({ value, error: undefined }),
      (error: unknown) => ({ value: undefined, error: error as ModelwireError }),
    )
  await vi.advanceTimersByTimeAsync(200_000)
  return { ...(await outcome), at }
}

describe('RS1 what is tried again', () => {
  it('three attempts in all, with twice the wait before the third', async () => {
    const { error, at } = await run([failure('server_error'), failure('server_error'), failure('server_error')])
    expect(at).toEqual([0, 500, 1_500])
    expect(error).toMatchObject({ kind: 'server_error', attempts: 3 })
  })

  it('a call that succeeds at last succeeds', async () => {
    const { value, at } = await run([failure('network'), failure('timeout')])
    expect(value).toBe('attempt 3')
    expect(at).toHaveLength(3)
  })

  it.each<ErrorKind>([
    'invalid_request',
    'authentication',
    'quota_exhausted',
    'cancelled',
    'protocol',
    'conflict',
    'content_filter',
  ])('%s is final', async (kind) => {
    const { error, at } = await run([failure(kind)])
    expect(at).toEqual([0])
    expect(error).toMatchObject({ kind, attempts: 1 })
  })

  it('`retryable` on the error has the last word, either way', async () => {
    expect((await run([failure('server_error', { retryable: false })])).at).toHaveLength(1)
    expect((await run([failure('conflict', { retryable: true })])).at).toHaveLength(2)
  })

  it.each([
    [400, false],
    [401, false],
    [403, false],
    [404, false],
    [408, true],
    [409, undefined],
    [413, false],
    [422, false],
    [425, true],
    [429, true],
    [500, true],
    [501, false],
    [502, true],
    [503, true],
    [504, true],
    [529, true],
    [307, false],
  ])('status %i alone says %s', (status, expected) => {
    expect(retryableStatus(status)).toBe(expected)
  })

  it('retry: false, or attempts: 1, is one attempt', async () => {
    expect((await run([failure('network')], {}, { retry: false })).at).toHaveLength(1)
    expect((await run([failure('network')], { retry: { attempts: 1 } })).at).toHaveLength(1)
    expect((await run([failure('network')], { retry: false })).at).toHaveLength(1)
  })

  it('the request’s own rules stand before the provider’s', async () => {
    const errors = Array.from({ length: 5 }, () => failure('network'))
    expect((await run(errors, { retry: { attempts: 2 } }, { retry: { attempts: 4, base: 10, max: 20 } })).at).toEqual([
      0, 10, 30, 50,
    ])
  })

  it('an error that isn’t ours passes untouched', async () => {
    const bug = new TypeError('a bug')
    await expect(createPolicy().run(() => Promise.reject(bug), new AbortController().signal)).rejects.toBe(bug)
  })
})

describe('back-off', () => {
  it('begins at a second for a crowded provider', async () => {
    expect((await run([failure('rate_limited', { status: 429 })])).at).toEqual([0, 1_000])
    expect((await run([failure('overloaded', { status: 529 })])).at).toEqual([0, 1_000])
  })

  it('is full jitter: anything from nothing to the whole', async () => {
    expect((await run([failure('network')], { random: () => 0 })).at).toEqual([0, 0])
    expect((await run([failure('network')], { random: () => 0.5 })).at).toEqual([0, 250])
  })

  it('grows to 20 s and no further', async () => {
    const errors = Array.from({ length: 8 }, () => failure('network'))
    const { at } = await run(errors, { retry: { attempts: 8 } })
    expect(at.map((time, n) => time - (at[n - 1] ?? 0)).slice(1)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000])
  })

  it('RS3 is never shorter than what the provider asks, and longer if the jitter is', async () => {
    expect((await run([failure('server_error', { retryAfterMs: 7_000 })])).at).toEqual([0, 7_000])
    expect((await run([failure('server_error', { retryAfterMs: 100 })])).at).toEqual([0, 500])
    expect((await run([failure('server_error', { retryAfterMs: 60_000 })])).at).toEqual([0, 60_000])
  })

  it('RS3 is refused beyond a minute: the error says how long it would be', async () => {
    const { error, at } = await run([failure('rate_limited', { status: 429, retryAfterMs: 61_000 })])
    expect(at).toEqual([0])
    expect(error).toMatchObject({ retryAfterMs: 61_000, attempts: 1 })
  })

  it('isn’t begun when the call would be over before it ends', async () => {
    const { error, at } = await run([failure('server_error', { retryAfterMs: 5_000 })], {}, { endsAt: performance.now() + 4_000 })
    expect(at).toEqual([0])
    expect(error).toMatchObject({ kind: 'server_error', retryAfterMs: 5_000 })
  })

  it('ST9 ends at once when the caller aborts, and leaves neither timer nor listener', async () => {
    const caller = new AbortController()
    const why = new Error('enough')
    setTimeout(() => caller.abort(why), 100)
    const began = performance.now()
    let ended = 0
    const call = createPolicy({ random: () => 1 }).run(
      () => Promise.reject(failure('server_error', { retryAfterMs: 30_000 })),
      caller.signal,
    )
    const settled = call.catch((error: unknown) => {
      ended = performance.now() - began
      return error
    })
    await vi.advanceTimersByTimeAsync(100)
    expect(await settled).toMatchObject({ kind: 'cancelled', cause: why, attempts: 1 })
    expect(ended).toBe(100)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('ST9 an abort during an attempt', () => {
  it('is `cancelled`, whatever the attempt failed with, and nothing is sent again', async () => {
    const caller = new AbortController()
    let sent = 0
    const call = createPolicy({ random: () => 1 }).run(async () => {
      sent += 1
      caller.abort('enough')
      throw failure('server_error')
    }, caller.signal)
    await expect(call).rejects.toMatchObject({ kind: 'cancelled', cause: 'enough', attempts: 1 })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a rate limit', () => {
  it('pauses everyone who shares it', async () => {
    const policy = createPolicy({ random: () => 0 })
    const start = performance.now()
    const sent: number[] = []
    const signal = new AbortController().signal
    let first = true
    const attempt = async (): Promise<void> => {
      sent.push(performance.now() - start)
      if (!first) return
      first = false
      throw failure('rate_limited', { status: 429, retryAfterMs: 3_000 })
    }
    const calls = [policy.run(attempt, signal)]
    await vi.advanceTimersByTimeAsync(1_000)
    calls.push(policy.run(attempt, signal), policy.run(attempt, signal))
    await vi.advanceTimersByTimeAsync(10_000)
    await Promise.all(calls)
    expect(sent).toEqual([0, 3_000, 3_000, 3_000])
  })

  it('RS9 refuses at once a call that would be over before the pause', async () => {
    const policy = createPolicy({ random: () => 0, retry: false })
    const signal = new AbortController().signal
    await policy.run(() => Promise.reject(failure('rate_limited', { retryAfterMs: 30_000 })), signal).catch(() => undefined)
    const error = await policy.run(() => Promise.resolve(1), signal, { endsAt: performance.now() + 5_000 }).catch((e: unknown) => e)
    expect(error).toMatchObject({ kind: 'rate_limited', retryAfterMs: 30_000, attempts: 0 })
  })

  it('ST9 lets a caller go who aborts while waiting', async () => {
    const policy = createPolicy({ random: () => 0, retry: false })
    await policy
      .run(() => Promise.reject(failure('rate_limited', { retryAfterMs: 30_000 })), new AbortController().signal)
      .catch(() => undefined)
    const caller = new AbortController()
    const waiting = policy.run(() => Promise.resolve(1), caller.signal).catch((e: unknown) => e)
    await vi.advanceTimersByTimeAsync(10)
    caller.abort()
    expect(await waiting).toMatchObject({ kind: 'cancelled', attempts: 0 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that is a quota, or lasts longer than a minute, pauses nobody', async () => {
    for (const error of [failure('quota_exhausted', { status: 429 }), failure('rate_limited', { retryAfterMs: 3_600_000 })]) {
      const policy = createPolicy()
      const signal = new AbortController().signal
      await policy.run(() => Promise.reject(error), signal).catch(() => undefined)
      expect(await policy.run(() => Promise.resolve('sent'), signal)).toBe('sent')
    }
  })
})

describe('the retry budget', () => {
  it('RS5 lets a dead provider get a fifth more load at most', async () => {
    const budget = createBudget()
    const policy = createPolicy({ budget, random: Math.random })
    const signal = new AbortController().signal
    let sent = 0
    const calls: Promise<unknown>[] = []
    const asked = 200 * 30
    for (let n = 0; n < asked; n += 1) {
      calls.push(
        policy
          .run(() => {
            sent += 1
            return Promise.reject(failure('server_error'))
          }, signal)
          .catch(() => undefined),
      )
      await vi.advanceTimersByTimeAsync(5)
    }
    await vi.advanceTimersByTimeAsync(60_000)
    await Promise.all(calls)
    expect(sent).toBeGreaterThan(asked)
    expect(sent / asked).toBeLessThan(1.2)
  })

  it('costs 5, after a timeout 10, and success earns 1 back', () => {
    const time = 0
    const budget = createBudget(() => time)
    const count = (afterTimeout: boolean): number => {
      let taken = 0
      while (budget.take(afterTimeout)) taken += 1
      return taken
    }
    expect(count(false)).toBe(10 + 100)
    for (let n = 0; n < 20; n += 1) budget.earn()
    expect(count(true)).toBe(2)
  })

  it('has ten free retries again after ten seconds', () => {
    let time = 0
    const budget = createBudget(() => time)
    while (budget.take(true)) time += 0
    time = 10_000
    expect(budget.take(false)).toBe(true)
  })
})

describe('the layers', () => {
  it('stand in order: limit around the call, breaker around each attempt', async () => {
    const seen: string[] = []
    const named =
      (name: string): Layer =>
      (inner) =>
      async (n, signal) => {
        seen.push(`${name} ${n}`)
        return inner(n, signal)
      }
    await run([failure('network')], { limit: named('limit'), breaker: named('breaker') })
    expect(seen).toEqual(['limit 1', 'breaker 1', 'breaker 2'])
  })
})
