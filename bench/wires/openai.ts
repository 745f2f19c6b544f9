import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer } from '../conversation.ts'
import type { Fold, Handwritten } from './handwritten.ts'

export const openaiTool = { type: 'function' as const, function: tool }

export const openaiBody = (stream: boolean) => ({
  model: model.openai,
  messages: [{ role: 'user' as const, content: prompt }],
  tools: [openaiTool],
  max_completion_tokens: maxTokens,
  stream,
  ...(stream ? { stream_options: { include_usage: true } } : {}),
})

interface OpenaiCall {
  id?: string
  function?: { name?: string; arguments?: string }
}
interface OpenaiUsage {
  prompt_tokens: number
  completion_tokens: number
}
interface OpenaiChunk {
  choices: { delta: { content?: string | null; tool_calls?: OpenaiCall[] } }[]
  usage?: OpenaiUsage | null
}
interface OpenaiReply {
  choices: { message: { content: string | null; tool_calls?: OpenaiCall[] } }[]
  usage: OpenaiUsage
}

const openaiUsage = (usage: OpenaiUsage) => ({ inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens })

function fold(): Fold {
  let text = ''
  let call: { id: string; name: string; text: string } | undefined
  let usage: Answer['usage'] = {}
  return {
    take(data) {
      if (data === '[DONE]') return
      const chunk = JSON.parse(data) as OpenaiChunk // by hand one trusts the provider
      if (chunk.usage) usage = openaiUsage(chunk.usage)
      const delta = chunk.choices[0]?.delta
      if (delta?.content) text += delta.content
      const piece = delta?.tool_calls?.[0]
      if (!piece) return
      call ??= { id: piece.id ?? '', name: piece.function?.name ?? '', text: '' }
      call.text += piece.function?.arguments ?? ''
    },
    answer: () => ({
      text,
      toolCall: call && { id: call.id, name: call.name, arguments: JSON.parse(call.text) as unknown },
      usage,
    }),
  }
}

export function foldWhole(reply: unknown): Answer {
  const { choices, usage } = reply as OpenaiReply // by hand one trusts the provider
  const message = choices[0]?.message
  const call = message?.tool_calls?.[0]
  return {
    text: message?.content ?? '',
    toolCall: call && {
      id: call.id ?? '',
      name: call.function?.name ?? '',
      arguments: JSON.parse(call.function?.arguments ?? '') as unknown,
    },
    usage: openaiUsage(usage),
  }
}

export const openai: Handwritten = {
  path: '/v1/chat/completions',
  headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
  body: openaiBody(true),
  prefix: 'data: ',
  fold,
}
