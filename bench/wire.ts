/** The two wires as one writes them by hand: bodies, headers, and the fold of parsed chunks. The clients by hand share it; the SDKs have their own. */
import { maxTokens, model, prompt, tool } from './conversation.ts'
import type { Answer } from './conversation.ts'

export const headers = {
  openai: { authorization: 'Bearer k', 'content-type': 'application/json' },
  anthropic: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
}

export const openaiBody = (stream: boolean) => ({
  model: model.openai,
  messages: [{ role: 'user' as const, content: prompt }],
  tools: [{ type: 'function' as const, function: tool }],
  max_completion_tokens: maxTokens,
  stream,
  ...(stream ? { stream_options: { include_usage: true } } : {}),
})

export const anthropicBody = {
  model: model.anthropic,
  max_tokens: maxTokens,
  messages: [{ role: 'user' as const, content: prompt }],
  tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters }],
  stream: true,
}

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

interface Fold {
  take(this: void, data: string): void
  answer(): Answer
}

const openaiUsage = (usage: OpenaiUsage) => ({ inputTokens: usage.prompt_tokens, outputTokens: usage.completion_tokens })

export function foldOpenai(): Fold {
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

interface AnthropicUsage {
  input_tokens?: number
  cache_creation_input_tokens?: number
  cache_read_input_tokens?: number
  output_tokens: number
}
type AnthropicEvent =
  | { type: 'content_block_start'; content_block: { type: string; id: string; name: string } }
  | {
      type: 'content_block_delta'
      delta: { type: 'text_delta'; text: string } | { type: 'input_json_delta'; partial_json: string }
    }
  | { type: 'message_delta'; usage: AnthropicUsage }
  | { type: 'message_start' | 'ping' | 'content_block_stop' | 'message_stop' }

export const anthropicUsage = (usage: {
  input_tokens?: number | null
  cache_creation_input_tokens?: number | null
  cache_read_input_tokens?: number | null
  output_tokens: number
}) => ({
  inputTokens: (usage.input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0),
  outputTokens: usage.output_tokens,
})

export function foldAnthropic(): Fold {
  let text = ''
  let call: { id: string; name: string; text: string } | undefined
  let usage: Answer['usage'] = {}
  return {
    take(data) {
      const event = JSON.parse(data) as AnthropicEvent // by hand one trusts the provider
      if (event.type === 'content_block_delta') {
        if (event.delta.type === 'text_delta') text += event.delta.text
        else if (call) call.text += event.delta.partial_json
      } else if (event.type === 'content_block_start') {
        if (event.content_block.type === 'tool_use') call = { id: event.content_block.id, name: event.content_block.name, text: '' }
      } else if (event.type === 'message_delta') usage = anthropicUsage(event.usage)
    },
    answer: () => ({
      text,
      toolCall: call && { id: call.id, name: call.name, arguments: JSON.parse(call.text) as unknown },
      usage,
    }),
  }
}
