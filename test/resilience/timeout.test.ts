import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Clocks, timeoutsOf } from '../../src/resilience/timeout.ts'
import type { ClockOptions } from '../../src/resilience/timeout.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const caller = new AbortController()
const clocks = (options: Partial<ClockOptions> = {}, limits = {}) =>
  new Clocks({ ...timeoutsOf(options.streamed ?? true, {}), ...limits }, { streamed: true, signal: caller.signal, ...options })

describe('the clocks of a call', () => {
  it('TR3 firstByte: a minute for a stream, ten for a whole reply', async () => {
    const stream = clocks()
    const whole = clocks({ streamed: false }, { total: 0 })
    await vi.advanceTimersByTimeAsync(59_999)
    expect(stream.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(2)
    expect(stream.signal.reason).toMatchObject({ kind: 'timeout', phase: 'firstByte', retryable: true })
    await vi.advanceTimersByTimeAsync(539_900)
    expect(whole.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(200)
    expect(whole.signal.reason).toMatchObject({ phase: 'firstByte' })
  })

  it('TR4 firstEvent: comments keep a stream from being idle, not from being empty', async () => {
    const stream = clocks()
    stream.replied()
    for (let n = 0; n < 7; n += 1) {
      stream.waiting()
      await vi.advanceTimersByTimeAsync(9_000)
      stream.received()
    }
    expect(stream.signal.reason).toMatchObject({ phase: 'firstEvent' })
  })

  it('a whole reply has no firstEvent', async () => {
    const whole = clocks({ streamed: false })
    whole.replied()
    await vi.advanceTimersByTimeAsync(599_000)
    expect(whole.signal.aborted).toBe(false)
    whole.stop()
  })

  it('TR4 idle: runs between bytes only, and not while nobody reads', async () => {
    const stream = clocks()
    stream.replied()
    stream.committed()
    stream.waiting()
    await vi.advanceTimersByTimeAsync(50_000)
    stream.received()
    await vi.advanceTimersByTimeAsync(500_000) // a slow consumer
    expect(stream.signal.aborted).toBe(false)
    stream.waiting()
    await vi.advanceTimersByTimeAsync(59_000)
    expect(stream.signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1_001)
    expect(stream.signal.reason).toMatchObject({ phase: 'idle' })
  })

  it('TR4 total: a drip that is never idle ends all the same, and for good', async () => {
    const stream = clocks({}, { total: 60_000 })
    stream.replied()
    stream.committed()
    for (let n = 0; n < 13; n += 1) {
      stream.waiting()
      await vi.advanceTimersByTimeAsync(5_000)
      stream.received()
    }
    expect(stream.signal.reason).toMatchObject({ phase: 'total', retryable: false })
  })

  it('a later attempt has what is left of the call’s time', async () => {
    const late = clocks({ endsAt: performance.now() + 3_000 })
    await vi.advanceTimersByTimeAsync(3_001)
    expect(late.signal.reason).toMatchObject({ phase: 'total' })
  })

  it('0 switches a clock off', async () => {
    const off = clocks({}, { firstByte: 0, total: 0 })
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(off.signal.aborted).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ST9 a caller’s abort goes through with its own reason', () => {
    const abort = new AbortController()
    const one = clocks({ signal: abort.signal })
    abort.abort('tired')
    expect(one.signal.reason).toBe('tired')
    expect(clocks({ signal: abort.signal }).signal.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ST9 nothing stays behind after stop', async () => {
    const abort = new AbortController()
    const one = clocks({ signal: abort.signal })
    one.stop()
    one.waiting()
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0)
    abort.abort()
    expect(one.signal.aborted).toBe(false)
  })

  it('costs no timer a chunk', () => {
    const set = vi.spyOn(globalThis, 'setTimeout')
    const stream = clocks()
    stream.replied()
    stream.committed()
    for (let n = 0; n < 1_000; n += 1) {
      stream.waiting()
      stream.received()
    }
    expect(set.mock.calls.length).toBeLessThan(5)
    stream.stop()
  })
})
