import type { ChatHistoryItem, ChatModelFunctionCall, ChatModelResponse } from 'node-llama-cpp'
import { ModelwireError } from '../../core/error.ts'
import type { ChatBody, Message } from './body.ts'

/**
 * The conversation as llama.cpp's chat templates see it: a call and its result are one thing inside the model's turn, so a
 * tool's message folds into the turn that called it. It ends with the model's turn, which is to be continued.
 */
export function historyOf(body: ChatBody): ChatHistoryItem[] {
  const history: ChatHistoryItem[] = []
  if (body.system !== undefined && body.system !== '') history.push({ type: 'system', text: body.system })
  const calls = new Map<string, ChatModelFunctionCall>()
  for (const message of body.messages) {
    refuseMedia(message)
    if (message.role === 'user') history.push({ type: 'user', text: message.text ?? '' })
    else if (message.role === 'assistant') history.push(answer(message, calls))
    else for (const result of message.results ?? []) settle(result, calls)
  }
  // After a result the same turn goes on; after anything else a new one begins.
  if (history.at(-1)?.type !== 'model') history.push({ type: 'model', response: [] })
  return history
}

function answer({ thought, text, calls: made = [] }: Message, calls: Map<string, ChatModelFunctionCall>): ChatModelResponse {
  const response: ChatModelResponse['response'] = []
  if (thought !== undefined && thought !== '')
    response.push({ type: 'segment', segmentType: 'thought', text: thought, ended: true })
  if (text !== undefined && text !== '') response.push(text)
  for (const [index, { id, name, arguments: params }] of made.entries()) {
    const call: ChatModelFunctionCall = { type: 'functionCall', name, params, result: undefined, startsNewChunk: index === 0 }
    calls.set(id, call)
    response.push(call)
  }
  return { type: 'model', response }
}

function settle({ id, content }: { id: string; content?: string }, calls: Map<string, ChatModelFunctionCall>): void {
  const call = calls.get(id)
  if (call === undefined) {
    throw new ModelwireError('invalid_request', `a tool_result answers the call ${JSON.stringify(id)}, which no message made`, {
      hint: "append the reply's `message` before the results of its calls",
    })
  }
  call.result = parsed(content ?? '')
}

/** Templates write results as JSON: one that is JSON already isn't wrapped into a text. */
function parsed(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return content // plain words
  }
}

function refuseMedia({ media = [] }: Message): void {
  if (media.length === 0) return
  throw new ModelwireError('unsupported', `models in this process read text only, got a part of type ${media[0]}`, {
    hint: 'use a server that knows the model’s projector, or describe it in words',
  })
}
