import { ModelwireError } from '../../core/error.ts'
import type { Batch } from './batch.ts'
import type { Pooling } from './settings.ts'

/** How a text's numbers become its vector. */
export interface Shape {
  pooling: Pooling
  normalize: boolean
  dimensions: number | undefined
}

/**
 * The vector of a batch's text number `row`: one vector for its tokens, cut to the dimensions asked for (of a model that
 * was trained so that the first ones say most), and then brought to length 1.
 */
export function vectorOf(batch: Batch, row: number, { pooling, normalize, dimensions }: Shape): number[] {
  const whole = pooling === 'none' ? plain(batch, row) : pooled(batch, row, pooling)
  if (dimensions !== undefined && dimensions > whole.length) {
    throw new ModelwireError(
      'invalid_request',
      `${dimensions} dimensions were asked for, and the model's vectors have ${whole.length}`,
    )
  }
  const vector = dimensions === undefined ? whole : whole.slice(0, dimensions)
  const length = Math.hypot(...vector)
  if (!Number.isFinite(length))
    throw new ModelwireError('server_error', "the model made numbers that aren't finite", { retryable: false })
  return normalize && length > 0 ? vector.map((value) => value / length) : vector
}

/** The graph made the vector itself. */
function plain({ shape, numbers }: Batch, row: number): number[] {
  const [, size = 0] = shape
  if (shape.length !== 2) throw misfit(shape, 2, 'a pooling of mean, cls or last')
  return Array.from({ length: size }, (_, at) => numbers[row * size + at] ?? NaN)
}

function pooled({ items, width, shape, numbers }: Batch, row: number, pooling: Exclude<Pooling, 'none'>): number[] {
  const [, places, size = 0] = shape
  if (shape.length !== 3 || places !== width) throw misfit(shape, 3, 'the pooling none')
  const length = items[row]?.ids.length ?? 0 // padding stands after the tokens and has no part in it
  const [from, to] = pooling === 'cls' ? [0, 1] : [pooling === 'last' ? length - 1 : 0, length]
  return Array.from({ length: size }, (_, at) => {
    let sum = 0
    for (let place = from; place < to; place++) sum += numbers[(row * width + place) * size + at] ?? NaN
    return sum / (to - from)
  })
}

function misfit(shape: readonly number[], wanted: number, other: string): ModelwireError {
  return new ModelwireError(
    'configuration',
    `the graph's output has the shape [${shape.join(', ')}], and one of ${wanted} sizes was expected`,
    { hint: `in the model's manifest, say \`config.output\`, or ${other}` },
  )
}
