import { describe, expect, it } from 'vitest'
import { createRuntime, type InferRequest, type ModelwireError, type RuntimeOptions } from '../../src/index.ts'
import { demo, runtime } from '../tools/demo.ts'
import { failure } from '../tools/failure.ts'
import { serveBytes } from '../tools/server.ts'
import { asked, right, says } from './answers.ts'

const mw = (options?: RuntimeOptions) => runtime(demo('http://127.0.0.1:9'), options)

function circle(): Record<string, unknown> {
  const made: Record<string, unknown> = { name: 'me' }
  made['self'] = made
  return made
}

function nested(depth: number): unknown {
  return Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1)
}

describe('an input that JSON can’t hold', () => {
  it.each<[string, unknown, string]>([
    ['a BigInt', { n: [1, 2n] }, 'data.n.1 is a bigint'],
    ['a circle', circle(), 'data.self leads back into itself'],
    ['a circle through lists', [[circle()]], 'data.0.0.self leads back'],
    ['a function', { run: () => 1 }, 'data.run is a function'],
    ['a symbol', [Symbol('x')], 'data.0 is a symbol'],
    ['NaN', { n: NaN }, 'data.n is NaN'],
    ['Infinity', [0, -Infinity], 'data.1 is -Infinity'],
    ['a hole in a list', [1, undefined], 'data.1 is undefined'],
    ['a Map', new Map([['a', 1]]), 'data is a Map'],
    ['a Date', { at: new Date(0) }, 'data.at is a Date'],
    ['what writes itself', { at: { toJSON: () => 1 } }, 'data.at writes itself'],
    ['bytes that are no media', { file: new Uint8Array([1, 2]) }, 'data.file is bytes'],
    ['more depth than anybody reads', nested(1_000), 'lies more than 200'],
  ])('with %s is refused before anything is sent, naming the field', async (_, data, message) => {
    const room = mw()
    const error = await failure(room.infer({ ...asked, input: { instruction: 'x', data } }))
    expect(error).toMatchObject({ kind: 'invalid_request', hint: expect.stringContaining('plain data') })
    expect(error.message).toContain(message)
    expect(room.listTasks()).toEqual([])
  })

  it('is refused by `inferStream` at once, as by `infer`', () => {
    expect(() => mw().inferStream({ ...asked, input: { instruction: 'x', data: 1n } })).toThrow('data is a bigint')
  })

  it('is told from one that holds the same twice, or a field that is undefined', async () => {
    const server = await serveBytes(says([right]))
    const same = { a: 1 }
    const data = { first: same, second: same, third: undefined }
    await runtime(demo(server.url)).infer({ ...asked, input: { instruction: 'x', data } })
    expect(server.requests[0]?.body.toString()).toContain(
      JSON.stringify(JSON.stringify({ first: same, second: same })).slice(1, -1),
    )
  })

  it.each([
    ['a list', [], 'a list'],
    ['null', null, 'null'],
    ['a text', 'x', 'string'],
  ])('that is %s is refused', async (_, input, got) => {
    const error = await failure(mw().infer({ ...asked, input } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'invalid_request', message: `expected a map as \`input\`, got ${got}` })
  })
})

describe('an outputSchema that is none', () => {
  it.each<[string, unknown, string]>([
    ['in a circle', circle(), 'outputSchema.self leads back into itself'],
    ['with a BigInt', { minimum: 1n }, 'outputSchema.minimum is a bigint'],
    ['with a function', { properties: { a: () => 1 } }, 'outputSchema.properties.a is a function'],
    ['with bytes', { const: new Uint8Array(1) }, 'outputSchema.const is bytes'],
    ['that is a list', [], 'expected a map as `outputSchema`, got a list'],
    ['that is a text', 'object', 'expected a map as `outputSchema`, got string'],
    ['of a type that there isn’t', { type: 'thing' }, "`outputSchema` isn't a JSON Schema"],
    ['with a $ref into nothing', { $ref: '#/$defs/nothing' }, "`outputSchema` isn't a JSON Schema"],
  ])('%s is refused before anything is sent', async (_, schema, message) => {
    const error = await failure(mw().infer({ ...asked, outputSchema: schema } as unknown as InferRequest))
    expect(error.kind).toBe('invalid_request')
    expect(error.message).toContain(message)
  })
})

describe('options of a task', () => {
  it.each([NaN, -1, 0, Infinity, '50', null, 5n])('with a timeout of %s are refused', async (timeout) => {
    const room = mw()
    const error = await failure(room.infer({ ...asked, options: { timeout } } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'invalid_request', message: expect.stringContaining('`options.timeout`') })
    expect(room.listTasks()).toEqual([])
  })

  it('with a timeout of 30 years don’t end the task after a millisecond', async () => {
    const server = await serveBytes(says([right], 100))
    const done = await runtime(demo(server.url)).infer({ ...asked, options: { timeout: 1e12 } })
    expect(done.result).toEqual({ counts: [2, 1] })
  })

  it.each([NaN, Infinity, 'urgent', 5n, null, {}])('with the priority %s are refused', async (priority) => {
    const error = await failure(mw().infer({ ...asked, options: { priority } } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'invalid_request', message: expect.stringContaining('`options.priority`') })
  })

  it.each(['m1', '', 5n, undefined])('of a model that is called %s are refused', async (modelId) => {
    const error = await failure(mw().infer({ ...asked, modelId } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('provider/model') })
  })

  it.each([null, 5, []])('that are %o are refused', async (options) => {
    const error = await failure(mw().infer({ ...asked, options } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'invalid_request', message: expect.stringContaining('expected a map as `options`') })
  })

  it('of a kind of task that is no text are refused', async () => {
    const error = await failure(mw().infer({ ...asked, task: 5n } as unknown as InferRequest))
    expect(error).toMatchObject({ kind: 'invalid_request', message: 'expected a kind of task, got bigint' })
  })
})

describe('a runtime', () => {
  it.each<[string, unknown]>([
    ['concurrency', 0],
    ['concurrency', -1],
    ['concurrency', 1.5],
    ['concurrency', NaN],
    ['concurrency', Infinity],
    ['concurrency', '4'],
    ['concurrency', null],
    ['queue', -1],
    ['queue', NaN],
    ['queue', Infinity],
    ['folder', ''],
    ['folder', 5],
    ['paths', ''],
    ['paths', [5]],
  ])('whose tasks have a %s of %s isn’t made', (name, value) => {
    const made = thrownBy(() => createRuntime({ tasks: { [name]: value } }))
    expect(made).toMatchObject({ name: 'ModelwireError', kind: 'configuration' })
    expect(made.message).toContain(`\`tasks.${name}\``)
  })

  it('whose queue takes nobody runs what can run at once', async () => {
    const server = await serveBytes(says([right], 50))
    const room = runtime(demo(server.url), { tasks: { concurrency: 1, queue: 0 } })
    const first = room.infer(asked)
    expect((await failure(room.infer(asked))).kind).toBe('overloaded')
    expect((await first).result).toEqual({ counts: [2, 1] })
  })
})

function thrownBy(made: () => unknown): ModelwireError {
  try {
    made()
  } catch (error) {
    return error as ModelwireError // the test looks at it closely
  }
  throw new Error('it should have failed')
}
