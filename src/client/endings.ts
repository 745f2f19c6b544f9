import type { Endings } from '../pipeline/accumulate.ts'
import type { Operation } from '../manifest/compile.ts'

/** How an operation reads its ends, for one reply. */
export function endingsOf(
  operation: Operation,
  reply: { status: number; headers: Record<string, string> },
  choices: number,
): Endings {
  return {
    finish: operation.reading.finish,
    usage: operation.reading.usage,
    finishes: operation.reading.plan.rules.kinds.has('finish'),
    fail: (body) => {
      throw operation.reading.classify({ status: reply.status, headers: reply.headers, body })
    },
    choices,
  }
}
