import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { LocatedModel } from '../../../src/wire/engine.ts'
import { failureOf } from '../../tools/call.ts'
import { embed, engineOf, rows, run } from '../../tools/onnx-engine.ts'
import { modelOf, tokenModel } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'
import { byteLevelBpe } from '../../tools/tokenizers.ts'

describe.skipIf(onnxRuntime === undefined)('what is wrong is told', () => {
  const broken: [string, (model: LocatedModel) => void, object][] = [
    ['a graph that is missing', ({ file }) => rmSync(file), { kind: 'not_found' }],
    [
      'a graph of garbage',
      ({ file }) => writeFileSync(file, 'hello '.repeat(100)),
      { kind: 'configuration', message: expect.stringContaining("isn't an ONNX model") },
    ],
    [
      'a graph that is cut',
      ({ file }) => truncateSync(file, 100),
      { kind: 'configuration', hint: expect.stringContaining('download it again') },
    ],
    ['an empty graph', ({ file }) => truncateSync(file, 0), { kind: 'configuration' }],
    ['a tokenizer that is missing', ({ files }) => rmSync(String(files.tokenizer)), { kind: 'not_found' }],
    ['a tokenizer that is cut', ({ files }) => truncateSync(String(files.tokenizer), 300), { kind: 'configuration' }],
  ]
  it.each(broken)('%s, and mended it works', async (_, damage, expected) => {
    const model = modelOf(tokenModel(rows))
    const engine = engineOf(model)
    const whole = [model.file, String(model.files.tokenizer)].map((file) => [file, readFileSync(file)] as const)
    damage(model)
    const errors = await Promise.all([failureOf(embed(engine, 'blue')), failureOf(embed(engine, 'sky'))])
    for (const error of errors) expect(error).toMatchObject(expected)
    expect((await engine.health()).models).toEqual([])
    for (const [file, content] of whole) writeFileSync(file, content)
    expect((await embed(engine, 'blue')).vectors).toHaveLength(1)
  })

  it('a graph with more behind its end than the format allows', async () => {
    const model = modelOf(tokenModel(rows))
    appendFileSync(model.file, 'more')
    expect(await failureOf(embed(engineOf(model), 'blue'))).toMatchObject({ kind: 'configuration' })
  })

  it('a tokenizer of another model', async () => {
    const { file } = byteLevelBpe()
    expect(await failureOf(embed(engineOf(modelOf(tokenModel(rows), {}, file)), 'zzz'))).toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('tokenizer'),
    })
  })

  it.each([
    [{ pooling: 'median' }, 'config.pooling must be one of mean, cls, last, none'],
    [{ maxTokens: '512' }, 'config.maxTokens must be a whole number'],
    [{ normalize: 'yes' }, 'config.normalize must be true or false'],
    [{ output: 'pooler_output' }, 'has no output called pooler_output'],
    [{ pooling: 'none' }, 'has the shape [1, 3, 6], and one of 2 sizes'],
  ])('the setting %j', async (config, message) => {
    expect(await failureOf(embed(engineOf(modelOf(tokenModel(rows), config)), 'blue'))).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining(message),
    })
  })

  it('a setting with a typo is a warning', async () => {
    const { warnings } = await embed(engineOf(modelOf(tokenModel(rows), { poolin: 'cls' })), 'blue')
    expect(warnings).toMatchObject([{ field: 'config.poolin' }])
  })

  it('a graph that wants what no text has', async () => {
    const past = tokenModel(rows, { 'past_key_values.0.key': { type: 'float', shape: ['texts', 4] } })
    const error = await failureOf(embed(engineOf(modelOf(past)), 'blue'))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('past_key_values.0.key') })
  })

  it.each([
    ['chat', { input: 'a' }, 'unsupported'],
    ['embed', { input: [1] }, 'invalid_request'],
    ['embed', { input: 'blue', temperature: 1 }, 'invalid_request'],
    ['embed', { input: 'blue', dimensions: 0 }, 'invalid_request'],
    ['embed', { input: 'blue', truncate: 'yes' }, 'invalid_request'],
    ['rerank', { query: 'why' }, 'invalid_request'],
    ['embed', { input: Array.from({ length: 100_001 }, () => 'a') }, 'request_too_large'],
  ])('a call to %s with a wrong body', async (url, body, kind) => {
    expect(await failureOf(run(engineOf(modelOf(tokenModel(rows))), url, body))).toMatchObject({ kind })
  })

  it('no texts, no vectors', async () => {
    expect(await embed(engineOf(modelOf(tokenModel(rows))), [])).toMatchObject({ vectors: [], tokens: 0, done: true })
  })
})
