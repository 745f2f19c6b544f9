import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, describe, expect, it } from 'vitest'
import { createRuntime, ModelwireError } from '../../src/index.ts'
import { randomModel } from '../tools/gguf.ts'

// Random weights know nothing of JSON: what comes out in form came by the grammar, and what the grammar can't force must be
// caught by the comparison with the whole schema.

const folder = mkdtempSync(join(tmpdir(), 'modelwire-structured-'))
const file = join(folder, 'random.gguf')
writeFileSync(file, randomModel(3))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const closed = (properties: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})

const schemas: Record<string, Record<string, unknown>> = {
  enums: closed({ mood: { enum: ['good', 'bad'] }, level: { enum: [1, 2, 3] } }),
  constants: closed({ kind: { const: 'fixed' }, on: { type: 'boolean' } }),
  nested: closed({ a: closed({ b: closed({ c: { type: 'boolean' } }) }) }),
  lists: closed({ flags: { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 4 } }),
  'a whole number in a range, which no grammar can force': closed({ age: { type: 'integer', minimum: 0, maximum: 150 } }),
  'a pattern, which no grammar can force': closed({ code: { type: 'string', pattern: '^[A-Z]{2}$', maxLength: 4 } }),
  'text of a length': closed({ word: { type: 'string', minLength: 2, maxLength: 8 } }),
  optional: { type: 'object', properties: { a: { type: 'boolean' }, b: { type: 'boolean' } }, required: ['a'] },
  nullable: closed({ maybe: { type: ['integer', 'null'] } }),
  anyOf: closed({ either: { anyOf: [{ type: 'boolean' }, { enum: ['x', 'y'] }] } }),
  oneOf: { oneOf: [closed({ cat: { const: true } }), closed({ dog: { const: true } })] },
  allOf: {
    allOf: [
      { type: 'object', properties: { a: { type: 'boolean' } }, required: ['a'] },
      { properties: { b: { type: 'boolean' } } },
    ],
  },
  'a reference among others, and one with more beside it': {
    allOf: [{ $ref: '#/$defs/sided' }, { properties: { b: { type: 'boolean' } }, required: ['b'] }],
    properties: { c: { $ref: '#/$defs/sided', properties: { d: { enum: ['x'] } }, required: ['d'] } },
    required: ['c'],
    $defs: { sided: { type: 'object', properties: { a: { enum: ['in', 'out'] } }, required: ['a'] } },
  },
  references: closed(
    { left: { $ref: '#/$defs/side' }, right: { $ref: '#/$defs/side' } },
    { $defs: { side: { enum: ['in', 'out'] } } },
  ),
  'references of an older draft': {
    $schema: 'http://json-schema.org/draft-07/schema#',
    definitions: { side: { enum: ['in', 'out'] } },
    ...closed({ left: { $ref: '#/definitions/side' } }),
  },
  'a list and a map as the only values': closed({ point: { const: [1, 2] }, place: { enum: [{ a: 1 }, { b: true }] } }),
  'a choice beside properties': {
    type: 'object',
    properties: { a: { type: 'boolean' } },
    required: ['a'],
    anyOf: [
      { properties: { b: { type: 'boolean' } }, required: ['b'] },
      { properties: { c: { enum: ['x'] } }, required: ['c'] },
    ],
  },
  dates: closed({ day: { type: 'string', format: 'date' } }),
  'what is no map': { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 2 },
}

describe('1,000 answers of random weights in a form', () => {
  it('each fits its schema, or is an error of kind `output`', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', contextLength: 512 } } })
    const names = Object.keys(schemas)
    const checks = new Map(
      Object.entries(schemas).map(([name, schema]) => {
        const { $schema: _, ...plain } = schema
        return [name, new Ajv2020({ strict: false, validateFormats: false }).compile(plain)]
      }),
    )
    const fitted = new Map<string, number>()
    let errors = 0

    async function one(index: number): Promise<void> {
      const name = names[index % names.length]!
      const request = {
        model: `llama/${file}`,
        prompt: `Answer ${index}`,
        output: schemas[name]!,
        maxTokens: 80,
        temperature: 1.5,
        seed: index,
      }
      try {
        const { object } = await mw.chat(request)
        if (!checks.get(name)!(object)) throw new Error(`${name} escaped: ${JSON.stringify(object)}`)
        fitted.set(name, (fitted.get(name) ?? 0) + 1)
      } catch (error) {
        if (!(error instanceof ModelwireError) || error.kind !== 'output') throw error
        errors += 1
      }
    }

    let next = 0
    const worker = async (): Promise<void> => {
      while (next < 1_000) await one(next++)
    }
    await Promise.all([1, 2, 3, 4].map(worker))
    expect([...fitted.values()].reduce((sum, count) => sum + count, errors)).toBe(1_000)
    // Those that a grammar forces wholly fit nearly always; the two that it can't are mostly caught.
    const forced = [
      'enums',
      'constants',
      'nested',
      'oneOf',
      'a reference among others, and one with more beside it',
      'references',
      'nullable',
      'a choice beside properties',
    ].map((name) => fitted.get(name) ?? 0)
    expect(Math.min(...forced)).toBeGreaterThan(30)
    expect(errors).toBeGreaterThan(30)
  }, 240_000)
})
