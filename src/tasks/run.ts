import { ModelwireError } from '../core/error.ts'
import type { ChatRequest } from '../core/request.ts'
import type { ChatResult, Usage, Warning } from '../core/result.ts'
import { checkRefusal, misfitError, readAnswer } from './answer.ts'
import type { Task } from './compile.ts'
import { parsePartial } from './partial.ts'
import { buildRepair, type Prompt } from './prompt.ts'
import type { SchemaCheck } from './schema.ts'
import type { Ask, InferRequest, TaskEvent } from './task.ts'

export interface Outcome {
  value: unknown
  usage: Usage
  warnings: Warning[]
  firstEventMs?: number
}

/** One task's work, once it has its turn. */
export interface Work {
  task: Task
  asked: InferRequest
  prompt: Prompt
  check: SchemaCheck
  ask: Ask
  signal: AbortSignal
  emit: (event: TaskEvent) => void
}

/** Asks the model; an answer that doesn't fit is shown to it once, with what is wrong. Throws `output` when neither fits. */
export async function work(it: Work): Promise<Outcome> {
  const { task, asked, prompt, check, emit } = it
  const own = asked.outputSchema === undefined
  emit({ type: 'state', state: 'running', attempt: 1 })
  const first = await call(it, prompt.request, 0)
  checkRefusal(first)
  const answer = readAnswer(first, check, task, asked.input, own)
  if ('value' in answer) return outcome(answer.value, [first])
  emit({ type: 'state', state: 'repairing', attempt: 2 })
  const second = await call(it, buildRepair(prompt, first.text, answer.misfits), 0.5)
  checkRefusal(second)
  const repaired = readAnswer(second, check, task, asked.input, own)
  if ('value' in repaired) return outcome(repaired.value, [first, second])
  throw misfitError(repaired.misfits, { ...second, usage: sum([first.usage, second.usage]) }, 2)
}

/** The whole reply. That it doesn't fit `output` is ours to say: the task knows more, and asks again. */
async function call({ ask, signal, emit }: Work, request: ChatRequest, from: number): Promise<ChatResult> {
  const stream = ask({ ...request, signal })
  const watch = watcher(emit, from)
  try {
    for await (const event of stream) if (event.type === 'text' && (event.choice ?? 0) === 0) watch(event.delta)
    return await stream.result
  } catch (error) {
    if (error instanceof ModelwireError && error.kind === 'output' && error.partial !== undefined) return error.partial
    throw error
  }
}

/** Characters after which half of the way counts as gone. */
const half = 1_500
/** Characters of an answer, which all wait if nobody listens; and of one that is still told in parts. */
const most = 16 * 1_048_576
const mostPartial = 1_048_576

function watcher(emit: (event: TaskEvent) => void, from: number): (delta: string) => void {
  let text = ''
  let next = 1
  return (delta) => {
    if (delta === '') return
    text += delta
    if (text.length > most)
      throw new ModelwireError('output', `the answer is longer than ${most} characters`, { hint: 'lower `options.maxTokens`' })
    emit({ type: 'text', delta })
    if (text.length < next) return
    // To parse it anew with each piece would cost the square of its length; each time it has grown by a twentieth doesn't.
    next = text.length * 1.05 + 16
    const rest = 0.95 - from
    emit({ type: 'progress', progress: from + rest * (text.length / (text.length + half)) })
    const value = text.length > mostPartial ? undefined : parsePartial(text)
    if (value !== undefined) emit({ type: 'partial', value, complete: false })
  }
}

function outcome(value: unknown, replies: ChatResult[]): Outcome {
  const firstEventMs = replies[0]?.timing.firstEventMs
  return {
    value,
    usage: sum(replies.map(({ usage }) => usage)),
    warnings: replies[0]?.warnings ?? [], // the second call has the same fields
    ...(firstEventMs === undefined ? {} : { firstEventMs }),
  }
}

const counts = ['inputTokens', 'cachedInputTokens', 'cacheWriteTokens', 'outputTokens', 'reasoningTokens', 'totalTokens'] as const

/** What is unknown of one of them is unknown of the sum. */
function sum(usages: Usage[]): Usage {
  const total: Usage = {}
  for (const count of counts) {
    const known = usages.map((usage) => usage[count]).filter((value) => value !== undefined)
    if (known.length === usages.length) total[count] = known.reduce((left, right) => left + right, 0)
  }
  const raw = usages.map((usage) => usage.raw)
  if (raw.some((value) => value !== undefined)) total.raw = raw.length === 1 ? raw[0] : raw
  return total
}
