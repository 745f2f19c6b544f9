import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { SyntaxFault } from '../../src/lang/cursor.ts'
import { compileExpression } from '../../src/lang/expr.ts'
import { compileNodes, readPath } from '../../src/lang/path.ts'
import { sharedSuite } from '../tools/shared.ts'

interface Case {
  name: string
  selector: string
  document?: unknown
  result?: unknown[]
  results?: unknown[][]
  invalid_selector?: true
}

/** The nodes that a selector finds; undefined when it is refused. */
function compile(selector: string): ((document: unknown) => unknown[]) | undefined {
  try {
    const cursor = { text: selector, at: 0 }
    const path = readPath(cursor)
    return cursor.at === selector.length ? compileNodes(path) : undefined
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined
    throw error
  }
}

const suite = sharedSuite<{ tests: Case[] }>('jsonpath-cts/cts.json')
const cases = suite?.tests ?? []
const valid = cases.filter((one) => one.invalid_selector !== true)
const invalid = cases.filter((one) => one.invalid_selector === true)

describe.skipIf(suite === undefined)('the compliance suite of RFC 9535', () => {
  it('what is accepted selects exactly what the RFC says, nulls included', () => {
    const accepted = valid.flatMap((one) => {
      const nodes = compile(one.selector)
      return nodes === undefined ? [] : [{ ...one, found: nodes(one.document) }]
    })
    const wrong = accepted.filter(
      ({ found, result, results = [] }) =>
        ![...(result === undefined ? [] : [result]), ...results].some((right) => isDeepStrictEqual(found, right)),
    )
    console.log(
      `JSONPath: ${accepted.length} of ${valid.length} valid selectors are accepted and agree, ${valid.length - accepted.length} refused; all ${invalid.length} invalid ones refused`,
    )
    expect(wrong.map(({ name, selector, found }) => ({ name, selector, found }))).toEqual([])
    expect(accepted.length).toBeGreaterThanOrEqual(220)
  })

  it('what is invalid is refused', () => {
    expect(invalid.filter(({ selector }) => compile(selector) !== undefined).map(({ selector }) => selector)).toEqual([])
  })

  it('an expression gives the same, with nulls left out, as one value or a list', () => {
    const wrong = valid.filter(({ selector, document }) => {
      const nodes = compile(selector)
      if (nodes === undefined) return false
      const there = nodes(document).filter((node) => node !== null)
      const value = compileExpression(selector).eval(document, {})
      return !isDeepStrictEqual(value, there[0]) && !isDeepStrictEqual(value, there.length === 0 ? undefined : there)
    })
    expect(wrong).toEqual([])
  })
})

describe('ML7 paths that a manifest may not have', () => {
  it.each([
    ['a script', '$[(@.length-1)]'],
    ['a script in a filter', '$[?(process.exit(1))]'],
    ['a function of the data', '$.a[?(@.constructor.constructor("return process")())]'],
    ['a method call', '$.a.toString()'],
    ['a regular expression', '$[?(@.a =~ /(a+)+$/)]'],
    ['a match', "$[?match(@.a, 'a.*')]"],
    ['a length', '$[?length(@.a) > 1]'],
    ['a comparison by size', '$[?(@.a > 1)]'],
    ['an inherited name', '$.constructor'],
    ['an inherited name in brackets', "$['__proto__'].polluted"],
    ['an inherited name in a union', "$['a','__proto__']"],
    ['an inherited name after ..', '$..constructor'],
    ['an inherited name in a filter', '$[?(@.__proto__.x)]'],
    ['two ..', '$..a..b'],
    ['a filter after ..', '$..[?(@.a)]'],
    ['a wildcard after ..', '$..*'],
    ['four wildcards', '$[*][*][*].*'],
    ['more than 256 characters', `$.${'a'.repeat(256)}`],
    ['nesting without an end', `$[?${'('.repeat(100_000)}`],
    ['a parent', '$.a^'],
    ['a parent in a union', "$['^','a']"],
    ['the name of a property', "$['~','a']"],
    ['a wildcard in quotes', "$['*','a']"],
    ['a type', "$['@string()','a']"],
    ['an eval in quotes', "$['(1+1)','a']"],
    ['a filter in quotes', "$['?(1)','a']"],
    ['the length of a list', '$..length'],
    ['a slice backward', '$[::-1]'],
    ['a slice up to nothing, which jsonpath-plus takes for all', '$[0:0]'],
    ['a root of no name', '$process.env'],
    ['a template of JavaScript', '${process.env.HOME}'],
  ])('%s', (_, selector) => {
    expect(() => compileExpression(selector)).toThrow(SyntaxFault)
  })

  it.each([
    ["$['^'].a", { '^': { a: 1 } }, 1],
    ["$['^'][0:1]", { '^': [1, 2] }, [1]],
    ["$['*'][0:1]", { '*': [1, 2], other: [3] }, [1]],
    ["$['?(1)'][0,1]", { '?(1)': [1, 2] }, [1, 2]],
    ["$['a;b'][1]", { 'a;b': [1, 2] }, 2],
    ['$[0,1]', { 0: 'an object has no index' }, undefined],
    ["$['a','b']", ['a list has no names'], undefined],
    ['$.a-b.c', { 'a-b': { c: 'a hyphen in a name is an extension of ours' } }, 'a hyphen in a name is an extension of ours'],
  ])('%s means what it says', (selector, data, expected) => {
    expect(compileExpression(selector).eval(data, {})).toEqual(expected)
  })
})
