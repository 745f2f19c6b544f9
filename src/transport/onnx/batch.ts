import { ModelwireError } from '../../core/error.ts'
import { type Item, valueAt } from './inputs.ts'
import type { Model } from './model.ts'
import type { Tensor } from './packages.ts'

/** What the graph made of some texts: for each its own numbers. */
export interface Batch {
  items: Item[]
  /** The tokens of every row, padding included. */
  width: number
  /** The shape of `numbers`: texts, and what the graph gives for each. */
  shape: readonly number[]
  numbers: ArrayLike<number>
}

/**
 * Texts of about the same length share a run, as many as `batchTokens` allows, padding counted. A graph that takes no
 * attention mask can't tell padding from text, so there only texts of the same length share a run.
 */
export function batches(items: readonly Item[], batchTokens: number, masked: boolean): Item[][] {
  const made: Item[][] = []
  for (const item of items.toSorted((left, right) => left.ids.length - right.ids.length)) {
    const open = made.at(-1)
    const fits = open !== undefined && (open.length + 1) * item.ids.length <= batchTokens
    if (fits && (masked || open[0]?.ids.length === item.ids.length)) open.push(item)
    else made.push([item])
  }
  return made
}

/** Runs the graph once. */
export async function runBatch(model: Model, items: Item[], output: string): Promise<Batch> {
  const width = Math.max(...items.map(({ ids }) => ids.length))
  const feeds = Object.fromEntries(model.session.inputNames.map((name) => [name, feed(model, name, items, width)]))
  let tensor: Tensor | undefined
  try {
    tensor = (await model.session.run(feeds, [output]))[output]
    if (tensor === undefined) throw new Error(`it gave no ${output}`)
    return { items, width, shape: tensor.dims, numbers: numbersOf(tensor, output) }
  } catch (error) {
    if (error instanceof ModelwireError) throw error
    throw new ModelwireError(
      'configuration',
      `the graph ${model.file} failed: ${error instanceof Error ? error.message : String(error)}`,
      {
        hint: "check that the tokenizer belongs to this model, and that its manifest's config.maxTokens isn't more than it was made for",
        cause: error,
      },
    )
  } finally {
    tensor?.dispose?.()
    for (const made of Object.values(feeds)) made.dispose?.()
  }
}

function feed({ runtime, session, tokenizer }: Model, name: string, items: Item[], width: number): Tensor {
  const shape = [items.length, width]
  const numbers = items.flatMap((item) => Array.from({ length: width }, (_, at) => valueAt(name, item, at, tokenizer.padId)))
  const type = session.inputMetadata?.find((input) => input.name === name)?.type ?? 'int64'
  return type === 'int32'
    ? new runtime.Tensor('int32', Int32Array.from(numbers), shape)
    : new runtime.Tensor('int64', BigInt64Array.from(numbers, BigInt), shape)
}

function numbersOf({ type, data }: Tensor, output: string): ArrayLike<number> {
  if (data instanceof Float32Array || data instanceof Float64Array) return data
  // Half floats come as their bits, or where Node has an array of them, as numbers.
  if (type === 'float16' && data instanceof Uint16Array) return Float32Array.from(data, fromHalf)
  if (type === 'float16' && ArrayBuffer.isView(data) && Symbol.iterator in data) return Float32Array.from(data as Iterable<number>) // a Float16Array, which this Node's types don't know
  throw new ModelwireError('configuration', `the output ${output} of the graph holds ${type}, not numbers with a fraction`, {
    hint: "name another output in the model's manifest: config.output",
  })
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
