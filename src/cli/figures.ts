import type { Call, Measured } from './measure.ts'
import { type Spread, spreadOf, sumOf } from './spread.ts'

/** A count over all calls that succeeded; null where not every one of them told it. */
export type Sum = { total: number; mean: number } | null

/** What the calls of one model come to. Every key is always there; what isn't known is null. */
export interface Figures {
  model: string
  succeeded: number
  failed: number
  /** Failures by their kind. */
  errors: Record<string, number>
  firstTokenMs: Spread | null
  tokensPerSecond: Spread | null
  totalMs: Spread | null
  inputTokens: Sum
  cachedInputTokens: Sum
  outputTokens: Sum
  reasoningTokens: Sum
  /** US dollars. */
  cost: Sum
  /** From the start of the first call to the end of the last one. */
  wallMs: number
  /** Output tokens of all calls over that time. */
  throughput: number | null
  /** In the order in which they ended. */
  calls: Call[]
}

export function figuresOf(model: string, { calls, wallMs }: Measured): Figures {
  const answers = calls.filter(({ error }) => error === null)
  const known = (pick: (call: Call) => number | null): number[] => answers.map(pick).filter((value) => value !== null)
  const sum = (pick: (call: Call) => number | null): Sum => {
    const values = known(pick)
    if (values.length === 0 || values.length < answers.length) return null
    return { total: sumOf(values), mean: sumOf(values) / values.length }
  }
  const outputTokens = sum((call) => call.outputTokens)
  return {
    model,
    succeeded: answers.length,
    failed: calls.length - answers.length,
    errors: countErrors(calls),
    firstTokenMs: spreadOf(known((call) => call.firstTokenMs)),
    tokensPerSecond: spreadOf(known((call) => call.tokensPerSecond)),
    totalMs: spreadOf(answers.map((call) => call.totalMs)),
    inputTokens: sum((call) => call.inputTokens),
    cachedInputTokens: sum((call) => call.cachedInputTokens),
    outputTokens,
    reasoningTokens: sum((call) => call.reasoningTokens),
    cost: sum((call) => call.cost),
    wallMs,
    throughput: outputTokens === null || wallMs <= 0 ? null : outputTokens.total / (wallMs / 1_000),
    calls,
  }
}

function countErrors(calls: readonly Call[]): Record<string, number> {
  const errors: Record<string, number> = {}
  for (const { error } of calls) if (error !== null) errors[error.kind] = (errors[error.kind] ?? 0) + 1
  return errors
}
