import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { compilePattern } from '../../src/lang/pattern.ts'
import type { Context } from '../../src/lang/context.ts'
import { compileTemplate } from '../../src/lang/template.ts'
import { pages, rowsOf } from './pages.ts'

/** The tables of examples in docs/manifest.md: each row is evaluated, and gives what it says. */
const page = pages.find(({ name }) => name === 'docs/manifest.md')
if (page === undefined) throw new Error('docs/manifest.md is missing')

const nothing = 'nothing'
const define = { part: { words: '$.text' } }

function evaluate(template: unknown, data: unknown): unknown {
  const context: Context = {
    define,
    report: ({ message }) => expect.fail(message),
    where: () => 'the page',
    reads: new Set(),
    types: new Set(),
    atRequest: false,
    fragments: new Map(),
    variables: [],
    open: [],
  }
  return compileTemplate(template, context, { container: {}, key: 'row' })(data, {})
}

describe('templates', () => {
  const rows = rowsOf(page, ['template', 'of', 'gives'])

  it('are shown', () => expect(rows.length).toBeGreaterThan(30))

  it.each(rows)('line $line gives what it says', ({ cells: [template = '', data = '', result = ''] }) => {
    expect(evaluate(parse(template), parse(data))).toEqual(result === nothing ? undefined : parse(result))
  })
})

describe('patterns', () => {
  const rows = rowsOf(page, ['pattern', 'fits', "doesn't fit"])

  it('are shown', () => expect(rows.length).toBeGreaterThan(8))

  it.each(rows)('line $line fits what it says', ({ cells: [written = '', fits = '', misfit = ''] }) => {
    const pattern = compilePattern(parse(written))
    expect(pattern(parse(fits))).toBe(true)
    expect(pattern(misfit === nothing ? undefined : parse(misfit))).toBe(false)
  })
})
