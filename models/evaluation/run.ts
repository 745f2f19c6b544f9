/**
 * Asks a model the prompts of this folder through Modelwire, and prints how much of them it gets right:
 * `npx node models/evaluation/run.ts [provider/model] [--show]`; the model is `llama/pocket`, in this process, when none is named.
 *
 * Right means: the calls are exactly those that are expected, no more and no fewer, with exactly those arguments; the object
 * is exactly the expected one; the text contains what is expected, letter by letter.
 */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { type ChatRequest, createRuntime, type Message, ModelwireError, type Runtime, type Tool } from '../../src/index.ts'

export const kinds = ['tool', 'copy', 'schema', 'result', 'chat'] as const
export type Kind = (typeof kinds)[number]

interface Call {
  name: string
  arguments: Record<string, unknown>
}

export interface Prompt {
  messages: {
    role: string
    content?: string | null
    tool_calls?: { id: string; function: { name: string; arguments: string } }[]
    tool_call_id?: string
  }[]
  tools?: Tool[]
  output?: Record<string, unknown>
  expect: { calls?: Call[]; object?: unknown; contains?: string[]; any?: string[] }
}

export function prompts(kind: Kind): Prompt[] {
  const lines = readFileSync(new URL(`${kind}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as Prompt) // our own file
}

/** The prompt as a request; the files are in the form of OpenAI's wire, so that any tool can read them. */
export function requestOf({ messages, tools, output }: Prompt, model: string): ChatRequest {
  return {
    model,
    messages: messages.map(messageOf),
    temperature: 0,
    maxTokens: 300,
    ...(tools === undefined ? {} : { tools }),
    ...(output === undefined ? {} : { output }),
  }
}

function messageOf({ role, content: written, tool_calls: calls = [], tool_call_id: id = '' }: Prompt['messages'][number]): Message {
  const content = written ?? ''
  if (role === 'tool') return { role, content: [{ type: 'tool_result', id, content }] }
  if (role !== 'assistant' || calls.length === 0) return { role: role as Message['role'], content }
  const made = calls.map((call) => ({
    type: 'tool_call' as const,
    id: call.id,
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments) as Record<string, unknown>,
  }))
  return { role, content: [...(content === '' ? [] : [{ type: 'text' as const, text: content }]), ...made] }
}

/** What a model said to a prompt, and whether that is right. */
export async function answer(mw: Runtime, model: string, prompt: Prompt): Promise<{ right: boolean; said: unknown }> {
  try {
    const { text, toolCalls, object } = await mw.chat(requestOf(prompt, model))
    const calls = toolCalls.map(({ name, arguments: given }) => ({ name, arguments: given }))
    const { expect } = prompt
    const right =
      (expect.calls === undefined ? toolCalls.length === 0 : isDeepStrictEqual(byName(calls), byName(expect.calls))) &&
      (expect.object === undefined || isDeepStrictEqual(object, expect.object)) &&
      (expect.contains ?? []).every((part) => text.includes(part)) &&
      (expect.any === undefined || expect.any.some((part) => text.includes(part)))
    return { right, said: calls.length > 0 ? calls : (object ?? text) }
  } catch (error) {
    if (error instanceof ModelwireError) return { right: false, said: error.message }
    throw error
  }
}

/** Two calls at once may come in any order. */
function byName(calls: readonly { name: string }[]): unknown {
  return calls.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

if (import.meta.filename === process.argv[1]) {
  const model = process.argv.slice(2).find((word) => !word.startsWith('--')) ?? 'llama/pocket'
  await using mw = createRuntime()
  for (const kind of kinds) {
    const all = prompts(kind)
    let right = 0
    for (const prompt of all) {
      const { right: good, said } = await answer(mw, model, prompt)
      if (good) right += 1
      else if (process.argv.includes('--show'))
        console.log(
          `  ${JSON.stringify(prompt.messages.at(-1)?.content)}\n    wanted ${JSON.stringify(prompt.expect)}\n    got    ${JSON.stringify(said)}`,
        )
    }
    console.log(
      `${kind.padEnd(8)} ${String(right).padStart(4)} of ${String(all.length).padStart(4)}  ${((100 * right) / all.length).toFixed(1).padStart(5)} %`,
    )
  }
}
