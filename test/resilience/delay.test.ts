import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from '../../src/core/duration.ts'
import { retryAfter, shouldRetry } from '../../src/resilience/delay.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

describe('RS3 how long a reply asks to wait', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing at all', {}, undefined],
    ['no wait', { 'retry-after': '0' }, 0],
    ['a fraction', { 'retry-after': '1.5' }, 1_500],
    ['a minute', { 'retry-after': '60' }, 60_000],
    ['more than a minute', { 'retry-after': '61' }, 61_000],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['NaN', { 'retry-after': 'NaN' }, undefined],
    ['Infinity', { 'retry-after': 'Infinity' }, undefined],
    ['a number beyond all numbers', { 'retry-after': '1e999' }, undefined],
    ['thirty years', { 'retry-after': '1e9' }, 1e12],
    ['a blank', { 'retry-after': ' ' }, undefined],
    ['two headers: the longer', { 'retry-after': '2, 5' }, 5_000],
    ['two headers, one of them broken', { 'retry-after': 'soon, 5' }, 5_000],
    ['milliseconds', { 'retry-after-ms': '120' }, 120],
    ['milliseconds before seconds', { 'retry-after-ms': '120', 'retry-after': '3' }, 120],
    ['seconds where the milliseconds are broken', { 'retry-after-ms': '-1', 'retry-after': '3' }, 3_000],
    ['a date in the past', { 'retry-after': 'Sat, 21 Nov 2026 11:59:00 GMT' }, undefined],
    ['a date in ten minutes', { 'retry-after': 'Sat, 21 Nov 2026 12:10:00 GMT' }, 600_000],
    [
      'a date by the server’s clock, which is an hour off',
      { 'retry-after': 'Sat, 21 Nov 2026 13:00:07 GMT', date: 'Sat, 21 Nov 2026 13:00:00 GMT' },
      7_000,
    ],
    ['a word that Date.parse would take for 2001', { 'retry-after': 'later 1' }, undefined],
    ['a reset', { 'x-ratelimit-reset': '3' }, 3_000],
    [
      'the reset of the limit that is used up',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '6m0s',
        'x-ratelimit-remaining-tokens': '90',
        'x-ratelimit-reset-tokens': '12ms',
      },
      360_000,
    ],
    ['the later of two resets', { 'x-ratelimit-reset-requests': '2s', 'x-ratelimit-reset-tokens': '7s' }, 7_000],
    [
      'a reset with the words turned round',
      { 'any-ratelimit-requests-remaining': '0', 'any-ratelimit-requests-reset': '2026-11-21T12:00:04Z' },
      4_000,
    ],
    ['limits with something left', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '9' }, undefined],
    ['retry-after before any reset', { 'retry-after': '1', 'x-ratelimit-reset': '9' }, 1_000],
    ['a broken retry-after leaves it to the reset', { 'retry-after': 'x', 'x-ratelimit-reset': '9' }, 9_000],
  ])('%s', (_, headers, expected) => {
    expect(retryAfter(headers, now)).toBe(expected)
  })

  it('x-should-retry says yes, no or nothing', () => {
    expect([{ 'x-should-retry': 'true' }, { 'x-should-retry': 'False' }, { 'x-should-retry': '1' }, {}].map(shouldRetry)).toEqual([
      true,
      false,
      undefined,
      undefined,
    ])
  })
})

describe('RS4 the spellings of a reset', () => {
  it.each<[string, number | undefined]>([
    ['6m0s', 360_000],
    ['1s', 1_000],
    ['12ms', 12],
    ['1h2m3s', 3_723_000],
    ['1d', 86_400_000],
    ['7.66s', 7_660],
    ['2m59.56s', 179_560],
    ['30', 30_000],
    ['0', 0],
    [String(now / 1_000 + 5), 5_000],
    [String(now + 5), 5],
    ['2026-11-21T12:00:09Z', 9_000],
    ['2026-11-21T14:00:09+02:00', 9_000],
    ['2026-11-21T06:30:09.5-05:30', 9_500],
    ['Sat, 21 Nov 2026 12:00:01 GMT', 1_000],
    ['2026-11-21T11:00:00Z', undefined],
    ['', undefined],
    ['soon', undefined],
    ['-3', undefined],
    ['1x', undefined],
    ['1s2', undefined],
    ['s', undefined],
    ['1 s', undefined],
    [`${'9'.repeat(400)}s`, undefined],
    ['2026-99-99T00:00:00Z', undefined],
  ])('%s', (text, expected) => {
    const read = parseDuration(text, now)
    expect(read === undefined ? undefined : Math.round(read)).toBe(expected)
  })

  it('whatever the text, the answer is finite and not negative, or none', () => {
    const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.-+:TZdhmse ') }), fc.double().map(String))
    fc.assert(
      fc.property(texts, (text) => {
        const read = parseDuration(text, now) ?? 0
        expect(Number.isFinite(read) && read >= 0).toBe(true)
      }),
    )
  })

  it('a span is read as the sum of its parts', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999), (d, h, m, s, ms) => {
        const expected = (((d * 24 + h) * 60 + m) * 60 + s) * 1_000 + ms
        expect(parseDuration(`${d}d${h}h${m}m${s}s${ms}ms`, now)).toBe(expected)
      }),
    )
  })
})
