import { ModelwireError } from '../../core/error.ts'
import type { Batch } from './batch.ts'
import type { Settings } from './settings.ts'

/**
 * How well the document of a batch's row fits: of one number for a pair its sigmoid (or the number itself), of two, which
 * stand for no and yes, the share of yes.
 */
export function scoreOf({ shape, numbers }: Batch, row: number, activation: Settings['activation']): number {
  const labels = shape.length === 1 ? 1 : (shape[1] ?? 0)
  if (shape.length > 2 || labels < 1 || labels > 2) {
    throw new ModelwireError(
      'configuration',
      `a reranker gives one or two numbers for a pair, this graph the shape [${shape.join(', ')}]`,
      {
        hint: "use a cross-encoder, or name its output in the model's manifest: config.output",
      },
    )
  }
  const first = numbers[row * labels] ?? NaN
  const raw = labels === 1 ? first : (numbers[row * labels + 1] ?? NaN) - first
  if (!Number.isFinite(raw))
    throw new ModelwireError('server_error', "the model made numbers that aren't finite", { retryable: false })
  return activation === 'none' ? raw : 1 / (1 + Math.exp(-raw))
}
