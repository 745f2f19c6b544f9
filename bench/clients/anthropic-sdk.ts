import Anthropic from '@anthropic-ai/sdk'
import { anthropicBody, anthropicUsage } from '../wires/anthropic.ts'
import type { Answer, Connect } from '../conversation.ts'

export const connect: Connect = (base) => {
  const client = new Anthropic({ apiKey: 'k', baseURL: base, maxRetries: 0 })
  return {
    async 'anthropic.stream'() {
      let text = ''
      let call: { id: string; name: string; text: string } | undefined
      let usage: Answer['usage'] = {}
      for await (const event of await client.messages.create({ ...anthropicBody, stream: true })) {
        if (event.type === 'content_block_delta') {
          if (event.delta.type === 'text_delta') text += event.delta.text
          else if (call && event.delta.type === 'input_json_delta') call.text += event.delta.partial_json
        } else if (event.type === 'content_block_start') {
          if (event.content_block.type === 'tool_use')
            call = { id: event.content_block.id, name: event.content_block.name, text: '' }
        } else if (event.type === 'message_delta') usage = anthropicUsage(event.usage)
      }
      return { text, toolCall: call && { id: call.id, name: call.name, arguments: JSON.parse(call.text) as unknown }, usage }
    },
  }
}
