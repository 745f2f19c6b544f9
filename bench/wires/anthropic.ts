import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer } from '../conversation.ts'
import type { Fold, Handwritten } from './handwritten.ts'

export const anthropicBody = {
  model: model.anthropic,
  max_tokens: maxTokens,
  messages: [{ role: 'user' as const, content: prompt }],
  tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters }],
  stream: true,
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

function fold(): Fold {
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

export const anthropic: Handwritten = {
  path: '/v1/messages',
  headers: { 'x-api-key': 'k', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
  body: anthropicBody,
  prefix: 'data: ',
  fold,
}
