import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorKinds } from '../../src/core/error.ts'
import { parseManifest } from '../../src/manifest/load.ts'
import { checkShape } from '../../src/manifest/validate.ts'
import { speechFields } from '../../src/pipeline/speech.ts'

function mistakes(text: string): string[] {
  return checkShape(parseManifest(text, 'x.yaml')).map(({ where, message }) => `${where?.line}:${where?.column} ${message}`)
}

const chat = (lines: string): string => `id: x\noperations:\n  chat:\n    ${lines.split('\n').join('\n    ')}`

describe('a manifest that fits', () => {
  it('the two dialects and the providers of the design have no mistakes', () => {
    const texts = [
      `id: x\nextends: y\nbase: https://api.example.com/v1\nauth: { bearer: X_KEY }`,
      chat(`post: "/models/{$.model}"
body: { model: $.model, messages: [{ $each: $.messages, $do: { $use: message } }], stop: { $first: [$.stop, []] } }
decode: { sse: { until: "[DONE]" } }
complete: [done, finish, { when: { type: stop } }]
events:
  error: { when: { error: "*" }, emit: { type: error, body: $ } }
  gone: null
  all:
    each: $.choices
    where: { $not: { index: { $type: string } } }
    with: { choice: $.index }
    emit: [{ type: text, delta: $.text }, { type: finish, raw: $.reason }]
    emit+: [{ type: tool, id: $.id, name: $.name, delta: $.arguments }]
    events: { $use: said, own: { emit: { delta: $.other } } }
finish: { stop: stop, "1": length, old: null, $else: other }
usage: { inputTokens: { $sum: [$.a, $.b] } }
split: { text: { open: "<think>", close: "</think>", as: reasoning } }
unused: [seed, messages.reasoning]`),
      `id: x\nvariables: { resource: X_RESOURCE, region: { env: [A, B], default: eu, docs: where } }
auth: { header: { x-key: [A, B] }, prefix: "Key ", optional: true }
headers: { x-version: "2024-10-21", x-org: "{$env.resource}", gone: null }
query: { v: { $if: { stream: true }, $then: a } }
limits: { requests: { limit: "$headers['x-limit']" } }
errors+: [{ when: { status: 418 }, kind: overloaded, after: $.retry, hint: Wait. }]
models: [{ match: [a-*, b], operations: { chat: { body: { top_k: null } } } }]
wires: { chat: { extends: [a, b], base: null } }`,
    ]
    expect(texts.flatMap(mistakes)).toEqual([])
  })

  it('a line over 120 columns is a warning, and no more', () => {
    const problems = checkShape(parseManifest(`id: x\ndocs: ${'x'.repeat(115)}`, 'x.yaml'))
    expect(problems).toEqual([
      { where: { file: 'x.yaml', line: 2, column: 121 }, message: 'expected at most 120 columns, got 121', severity: 'warning' },
    ])
  })
})

describe('a manifest that does not fit', () => {
  it.each<[string, string[]]>([
    ['name: x', ['1:1 expected the key "id" in Manifest, got only name']],
    ['id: X', ['1:1 expected an id (lower-case letters, digits, ".", "_", "-"), got "X"']],
    ['id: x\noperatons: {}', ['2:1 expected a key of Manifest, got "operatons"; did you mean "operations"?']],
    ['id: x\nbase: 5', ['2:1 expected text, got the number 5']],
    ['id: x\nextends: ../y', ['2:1 expected an id (lower-case letters, digits, ".", "_", "-"), got "../y"']],
    ['id: x\nextends: [a, http://b]', ['2:14 expected an id (lower-case letters, digits, ".", "_", "-"), got "http://b"']],
    ['id: x\nauth: non', ['2:1 expected "none", got "non"']],
    ['id: x\nauth: 5', ['2:1 expected "none" or a map, got the number 5']],
    ['id: x\nauth: { bearer: 5 }', ['2:9 expected text or a list, got the number 5']],
    ['id: x\nauth: { bearer: A, optional: "yes" }', ['2:20 expected true or false, got "yes"']],
    ['id: x\nauth: { header: { x-key: [] } }', ['2:19 expected at least one item, got an empty list']],
    ['id: x\nauth: { basic: { user: A } }', ['2:9 expected the key "password" in BasicSlots, got only user']],
    [
      'id: x\nauth: { beerer: A }',
      [
        '2:1 expected the key "bearer" in BearerAuth, got only beerer',
        '2:9 expected a key of BearerAuth, got "beerer"; did you mean "bearer"?',
      ],
    ],
    ['id: x\nauth: { bearer: "$env.X" }', ['2:9 expected the name of an environment variable, got "$env.X"']],
    ['id: x\nvariables: { a: { evn: X } }', ['2:19 expected a key of Variable, got "evn"; did you mean "env"?']],
    [
      'id: x\nheaders: { a: 1.1, b: true, c: [x] }',
      [
        '2:12 expected text or a map, got the number 1.1',
        '2:20 expected text or a map, got the boolean true',
        '2:29 expected text or a map, got a list',
      ],
    ],
    ['id: x\noperations: { chat: 5 }', ['2:15 expected a map, got the number 5']],
    ['id: x\noperations: { 1chat: {} }', ['2:15 expected the name of an operation, got "1chat"']],
    [chat('pots: /x'), ['4:5 expected a key of Operation, got "pots"; did you mean "post"?']],
    [chat('encode: xml'), ['4:5 expected "json", got "xml"']],
    [chat('transport: carrier'), ['4:5 expected one of http, llama, onnx, got "carrier"']],
    [
      chat('follow: { get: /x, every: 5 }'),
      ['4:5 expected the key "until" in Follow, got only get, every', '4:24 expected text, got the number 5'],
    ],
    [
      'id: x\nservice: { ways: { a: { comand: [x] } }, health: { within: soon } }',
      [
        '2:25 expected a key of Way, got "comand"; did you mean "command"?',
        '2:52 expected a span of time such as "200ms", "30s" or "10m", got "soon"',
      ],
    ],
    [chat('body: { a: { $eech: $.x } }'), ['4:18 expected a construct, got "$eech"; did you mean "$each"?']],
    [
      chat('body: { a: [{ $each: x, $do: { $use: 5 } }] }'),
      ['4:19 expected an expression that begins with "$", got "x"', '4:36 expected text, got the number 5'],
    ],
    [
      chat('body: { $if: { a: { $asbent: true } }, $then: 1 }'),
      ['4:25 expected a pattern, got "$asbent"; did you mean "$absent"?'],
    ],
    [chat('select: 5'), ['4:5 expected text, got the number 5']],
    [chat('decode: see'), ['4:5 expected one of sse, ndjson, json, bytes, none, got "see"; did you mean "sse"?']],
    [chat('decode: { sse: { unitl: x } }'), ['4:22 expected a key of SseOptions, got "unitl"; did you mean "until"?']],
    [chat('decode: { sse: {}, json: {} }'), ['4:5 expected one key of DecodeOptions, got sse, json']],
    [
      chat('complete: [don, { wen: 1 }]'),
      [
        '4:16 expected one of done, finish, end, got "don"; did you mean "done"?',
        '4:21 expected the key "when" in ProofWhen, got only wen',
        '4:23 expected a key of ProofWhen, got "wen"; did you mean "when"?',
      ],
    ],
    [chat('complete: []'), ['4:5 expected at least one item, got an empty list']],
    [chat('complete+: done'), ['4:5 expected a list, got "done"']],
    [chat('events: { a: { wen: 1 } }'), ['4:20 expected a key of Rule, got "wen"; did you mean "when"?']],
    [chat('events: { a: { each: choices } }'), ['4:20 expected an expression that begins with "$", got "choices"']],
    [chat('events: { $uze: {} }'), ['4:15 expected the name of a rule, got "$uze"; did you mean "$use"?']],
    [
      chat('events: { a: { when: { x: { $typ: map } }, events: { b: { emit: text } } } }'),
      ['4:33 expected a pattern, got "$typ"; did you mean "$type"?', '4:63 expected a map or a list, got "text"'],
    ],
    [
      chat('events: { a: { emit: { type: text, dleta: $ } } }'),
      ['4:40 expected a key of TextEmit, got "dleta"; did you mean "delta"?'],
    ],
    [
      chat('events: { a: { emit: [{ type: tool, foo: 1 }, x] } }'),
      ['4:41 expected a key of ToolEmit, got "foo"', '4:51 expected a map, got "x"'],
    ],
    [
      chat('events: { a: { emit: { type: txet, delta: $ } } }'),
      [`4:28 expected one of ${Object.keys(speechFields).join(', ')}, got "txet"; did you mean "text"?`],
    ],
    [
      chat('finish: { end: stpo }'),
      ['4:15 expected one of stop, length, tool_calls, content_filter, error, other, got "stpo"; did you mean "stop"?'],
    ],
    [chat('usage: { inputToken: $.a }'), ['4:14 expected a key of Usage, got "inputToken"; did you mean "inputTokens"?']],
    [
      chat('split: { text: { open: 5, as: foo } }'),
      ['4:22 expected text, got the number 5', '4:31 expected "reasoning", got "foo"'],
    ],
    ['id: x\nerror: { mesage: $.a }', ['2:10 expected a key of ErrorFields, got "mesage"; did you mean "message"?']],
    ['id: x\nerrors: [{ kind: overloaded }]', ['2:10 expected the key "when" in ErrorRule, got only kind']],
    [
      'id: x\nerrors: [{ when: x, kind: overlaoded }]',
      [`2:21 expected one of ${errorKinds.join(', ')}, got "overlaoded"; did you mean "overloaded"?`],
    ],
    ['id: x\nmodels: [{ match: 5 }]', ['2:12 expected text or a list, got the number 5']],
    ['id: x\nwires: { chat: { extend: y } }', ['2:18 expected a key of Wire, got "extend"; did you mean "extends"?']],
    ['id: x\ndefine: { said: { a: { emit: { type: text, foo: 1 } } } }', ['2:44 expected a key of TextEmit, got "foo"']],
    ['id: x\ndefine: { part: { $swich: $.type } }', ['2:19 expected a construct, got "$swich"; did you mean "$switch"?']],
  ])('%j', (text, expected) => {
    expect(mistakes(text)).toEqual(expected)
  })

  it('ML6 a number where text belongs says how to quote it', () => {
    const [problem] = checkShape(parseManifest('id: x\nheaders: { version: 1.1 }', 'x.yaml'))
    expect(problem?.hint).toBe('Quote it: "1.1".')
  })

  it('says which keys there are', () => {
    const [problem] = checkShape(parseManifest(chat('usage: { foo: 1 }'), 'x.yaml'))
    expect(problem?.hint).toBe(
      'Its keys are inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens, totalTokens, cost.',
    )
  })
})

describe('the schema', () => {
  interface Part {
    description?: string
    properties?: Record<string, Part & { const?: string }>
    enum?: string[]
    $ref?: string
  }
  const text = readFileSync(new URL('../../schemas/manifest.schema.json', import.meta.url), 'utf8')
  const schema = JSON.parse(text) as Part & { definitions: Record<string, Part> }

  it('is a JSON Schema, also to a strict eye', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false })
    ajv.addVocabulary(['tsType', 'patternErrorMessage'])
    expect(() => ajv.compile(schema)).not.toThrow()
  })

  it('describes every property', () => {
    const bare = Object.entries({ Manifest: schema, ...schema.definitions }).flatMap(([name, part]) =>
      Object.entries(part.properties ?? {}).flatMap(([key, { description }]) => (description ? [] : [`${name}.${key}`])),
    )
    expect(bare).toEqual([])
  })

  it('knows the kinds of errors that the code knows', () => {
    expect(schema.definitions['ErrorKind']?.enum).toEqual(errorKinds)
  })

  it('knows what rules may emit, field by field, as the pipeline does', () => {
    const emits = Object.entries(schema.definitions).filter(([name]) => /.Emit$/.test(name))
    const known = emits.map(([, { properties = {} }]) => {
      const { type, choice: _, ...fields } = properties
      return [type?.const, Object.keys(fields).toSorted()] as const
    })
    const spoken = Object.entries(speechFields).map(([type, { fields }]) => [type, fields.toSorted()])
    expect(Object.fromEntries(known)).toEqual(Object.fromEntries(spoken))
  })
})
