import { expect, onTestFinished } from 'vitest'
import { createOnnxEngine, type OnnxOptions } from '../../src/transport/onnx/engine.ts'
import type { Engine, LocatedModel } from '../../src/wire/engine.ts'
import { never } from './call.ts'
import { table } from './onnx-models.ts'
import { loadOnnxRuntime } from './onnx-runtime.ts'
import { wordIds } from './tokenizers.ts'

export interface Told {
  vectors: number[][]
  scores: { index: number; score: number }[]
  warnings: { field: string; reason: string }[]
  tokens: number | undefined
  done: boolean
}

/** All that a frame may hold. */
interface Spoken {
  index: number
  vector: number[]
  score: number
  warning: { field: string; reason: string }
  usage: { tokens: number }
  done: boolean
}

export function engineOf(model: LocatedModel | Record<string, LocatedModel>, options: OnnxOptions = {}): Engine {
  const engine = createOnnxEngine(
    async (name) => {
      const found =
        'file' in model && typeof model.file === 'string' ? (model as LocatedModel) : (model as Record<string, LocatedModel>)[name]
      if (found === undefined) throw new Error(`no model ${name}`)
      return found
    },
    { load: loadOnnxRuntime, ...options },
  )
  onTestFinished(() => engine.close())
  return engine
}

export async function run(engine: Engine, url: string, body: object, signal = never()): Promise<Told> {
  const told: Told = { vectors: [], scores: [], warnings: [], tokens: undefined, done: false }
  const reply = await engine.call({ method: 'RUN', url, headers: {}, body: { model: 'small', ...body } }, signal)
  for await (const frame of reply.body) {
    const { index = NaN, vector, score, warning, usage, done } = frame as Partial<Spoken>
    if (vector !== undefined) told.vectors[index] = vector
    if (score !== undefined) told.scores.push({ index, score })
    if (warning !== undefined) told.warnings.push(warning)
    if (usage !== undefined) told.tokens = usage.tokens
    if (done === true) told.done = true
  }
  return told
}

export const embed = (engine: Engine, input: string | string[], more: object = {}, signal?: AbortSignal): Promise<Told> =>
  run(engine, 'embed', { input, ...more }, signal)

export const size = Object.keys(wordIds).length
export const rows = table(size, 6, 1)
export const row = (word: string): number[] => rows[wordIds[word] ?? NaN] ?? []
export const sum = (...vectors: number[][]): number[] =>
  (vectors[0] ?? []).map((_, at) => vectors.reduce((total, vector) => total + (vector[at] ?? NaN), 0))
export const scaled = (vector: number[], by: number): number[] => vector.map((value) => value * by)
export const unit = (vector: number[]): number[] => scaled(vector, 1 / Math.hypot(...vector))

/** The numbers to six places: what floats of 32 bits keep. */
export const near = (expected: number[]): unknown[] => expected.map((value) => expect.closeTo(value, 6) as unknown)
