import { ModelwireError } from '../core/error.ts'
import type { ChatResult } from '../core/result.ts'
import type { Task } from './compile.ts'
import { inWords, type Misfit, type SchemaCheck } from './schema.ts'

/** What a model's answer is worth. */
export type Answer = { value: unknown } | { misfits: Misfit[] }

/** Reads and checks an answer: JSON, the schema, then what the task checks beyond it. */
export function readAnswer(reply: ChatResult, check: SchemaCheck, task: Task, input: object, ownSchema: boolean): Answer {
  const parsed = parse(reply.text)
  if (parsed === undefined) {
    const cut = reply.finishReason === 'length' ? ' because it was cut at its greatest length: be shorter' : ''
    return { misfits: [{ field: '', message: `isn't JSON${cut}` }] }
  }
  const { value } = parsed
  const misfits = check(value)
  if (misfits.length > 0) return { misfits }
  // Another schema is another form, of which the task's checks know nothing.
  const wrong = ownSchema ? task.checks.flatMap((one) => one(value, input)) : []
  return wrong.length > 0 ? { misfits: wrong } : { value }
}

/** A refusal is no misfit: to ask again is no use. */
export function checkRefusal(reply: ChatResult): void {
  if (reply.refusal === undefined && reply.finishReason !== 'content_filter') return
  throw new ModelwireError('content_filter', reply.refusal ?? 'the provider blocked the answer', {
    provider: reply.provider,
    model: reply.model,
    partial: reply,
  })
}

export function misfitError(misfits: Misfit[], reply: ChatResult, attempts: number): ModelwireError {
  const [first] = misfits
  const more = misfits.length > 1 ? ` (and ${misfits.length - 1} more)` : ''
  return new ModelwireError('output', `the answer doesn't fit: ${first === undefined ? '' : inWords(first)}${more}`, {
    provider: reply.provider,
    model: reply.model,
    partial: reply,
    attempts,
    hint: reply.finishReason === 'length' ? 'the reply was cut: raise maxTokens' : 'try another model, or simplify the schema',
  })
}

/** The text itself, what stands in its first code fence, or what lies between its outermost brackets. */
function parse(text: string): { value: unknown } | undefined {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(text)?.[1]
  const begin = text.search(/[{[]/)
  const end = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  for (const candidate of [text, fenced, begin >= 0 && end > begin ? text.slice(begin, end + 1) : undefined]) {
    if (candidate === undefined) continue
    try {
      return { value: JSON.parse(candidate) as unknown }
    } catch {
      // Not this one; when none is JSON the model is told.
    }
  }
  return undefined
}
