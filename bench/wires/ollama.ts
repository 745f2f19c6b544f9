import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer } from '../conversation.ts'
import type { Fold, Handwritten } from './handwritten.ts'

export const ollamaBody = {
  model: model.ollama,
  messages: [{ role: 'user', content: prompt }],
  tools: [{ type: 'function', function: tool }],
  options: { num_predict: maxTokens },
  stream: true as const,
}

interface Line {
  message: { content: string; tool_calls?: { id: string; function: { name: string; arguments: unknown } }[] }
  prompt_eval_count?: number
  eval_count?: number
}

function fold(): Fold {
  let text = ''
  let toolCall: Answer['toolCall']
  let usage: Answer['usage'] = {}
  return {
    take(data) {
      const line = JSON.parse(data) as Line // by hand one trusts the provider
      text += line.message.content
      const call = line.message.tool_calls?.[0]
      if (call) toolCall = { id: call.id, name: call.function.name, arguments: call.function.arguments }
      if (line.eval_count !== undefined) usage = { inputTokens: line.prompt_eval_count, outputTokens: line.eval_count }
    },
    answer: () => ({ text, toolCall, usage }),
  }
}

export const ollama: Handwritten = {
  path: '/api/chat',
  headers: { 'content-type': 'application/json' },
  body: ollamaBody,
  prefix: '',
  fold,
}
