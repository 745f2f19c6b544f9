import { assert, constant, constantFrom, dictionary, oneof, property, record, array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/lang/context.ts'
import { compileRules } from '../../src/pipeline/rules.ts'

function context(): Context {
  return {
    define: { shared: { s: { emit: { type: 'text', delta: '$.b' } } } },
    variables: [],
    report: ({ message }) => {
      throw new Error(message)
    },
    where: () => '',
    reads: new Set(),
    types: new Set(),
    atRequest: false,
    fragments: new Map(),
    open: [],
  }
}

/** What rules say about a value, and whether any matched. */
function run(rules: object, value: unknown): { said: unknown[]; matched: boolean } {
  const said: unknown[] = []
  const matched = compileRules(rules, context(), { container: {}, key: 'events' }).run(
    value,
    {},
    (speech) => void said.push(structuredClone(speech)),
  )
  return { said, matched }
}

const names = ['type', 'kind', 'a', 'b', 'delta', 'list']
const name = constantFrom(...names)
const literal = constantFrom<unknown>('x', 'y', 'z', 1, true, false)
const scalarPattern = oneof(
  literal,
  constantFrom<unknown>(
    '*',
    null,
    ['x', 1],
    { $absent: true },
    { $not: 'x' },
    { $not: '*' },
    { $type: 'string' },
    { $glob: 'x*' },
    { $is: null },
  ),
)
const pattern = dictionary(
  name,
  oneof({ weight: 4, arbitrary: scalarPattern }, { weight: 1, arbitrary: dictionary(name, scalarPattern, { maxKeys: 2 }) }),
  { maxKeys: 3 },
)
const delta = constantFrom<unknown>(
  '$.a',
  '$.b',
  '$.delta.a',
  '$.delta.type',
  '$.a ?? $.b',
  '$.a ?? "else"',
  '$.a ?? $.kind | upper',
  'said',
  '<{$.a}>',
  '$.list[*] | join',
  '$..b',
  "$['a','b'] | join",
  { $if: { a: '*' }, $then: '$.b', $else: 'none' },
  { $first: ['$.a', 'first'] },
  '$',
)
const emit = oneof(
  record({ type: constantFrom('text', 'reasoning', 'refusal'), delta }),
  record({ type: constant('start'), id: delta, model: delta }),
  record({ type: constant('finish'), raw: delta }),
  record({ type: constant('usage'), raw: constantFrom<unknown>('$.delta', '$.a', '$') }),
  record({ type: constant('tool'), id: delta, name: delta }, { requiredKeys: ['type', 'id'] }),
  constant({ type: 'end', index: '$.a' }),
)
const plain = record(
  {
    when: pattern,
    each: constantFrom('$.list', '$.delta', '$.a ?? $.b', '$.missing ?? $.list', '$'),
    where: pattern,
    with: constant({ choice: '$.b' }),
    emit: oneof(emit, array(emit, { minLength: 1, maxLength: 2 })),
  },
  { requiredKeys: ['emit'] },
)
const nested = record(
  {
    when: pattern,
    each: constantFrom('$.list', '$.delta', '$'),
    events: oneof(dictionary(constantFrom('p', 'q', 'r', 's', 't'), plain, { minKeys: 1 }), constant({ $use: 'shared' })),
  },
  { requiredKeys: ['events'] },
)
const rules = dictionary(constantFrom(...'cdefghijkl'), oneof({ weight: 4, arbitrary: plain }, { weight: 1, arbitrary: nested }), {
  minKeys: 1,
  maxKeys: 10,
})

const leaf = oneof(literal, constantFrom<unknown>(null, '', [], {}))
const inner = dictionary(name, leaf, { maxKeys: 3 })
const value = oneof(
  { weight: 8, arbitrary: dictionary(name, oneof(leaf, inner, array(oneof(leaf, inner), { maxLength: 3 }))) },
  { weight: 1, arbitrary: oneof(leaf, array(inner)) },
)

describe('rules that are looked up', () => {
  it('say together, in the order of the file, what each of them says alone', () => {
    assert(
      property(rules, array(value, { minLength: 1, maxLength: 4 }), (all, values) => {
        for (const one of values) {
          const alone = Object.entries(all).map(([key, rule]) => run({ [key]: rule }, one))
          expect(run(all, one)).toEqual({ said: alone.flatMap(({ said }) => said), matched: alone.some(({ matched }) => matched) })
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('read own fields only', () => {
    const many = Object.fromEntries(
      ['x', 'y', 'z', 'w'].map((type) => [type, { when: { type }, emit: { type: 'text', delta: type } }]),
    )
    expect(run(many, Object.create({ type: 'x' })).said).toEqual([])
    expect(run(many, { type: 'x' }).said).toEqual([{ type: 'text', delta: 'x' }])
  })
})
