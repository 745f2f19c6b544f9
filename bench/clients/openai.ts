import OpenAI from 'openai'
import { foldWhole, openaiBody } from '../wires/openai.ts'
import type { Answer, Connect } from '../conversation.ts'

export const connect: Connect = (base) => {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${base}/v1`, maxRetries: 0 })
  return {
    async 'openai.stream'() {
      let text = ''
      let call: { id: string; name: string; text: string } | undefined
      let usage: Answer['usage'] = {}
      for await (const chunk of await client.chat.completions.create({ ...openaiBody(true), stream: true })) {
        if (chunk.usage) usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens }
        const delta = chunk.choices[0]?.delta
        if (delta?.content) text += delta.content
        const piece = delta?.tool_calls?.[0]
        if (!piece) continue
        call ??= { id: piece.id ?? '', name: piece.function?.name ?? '', text: '' }
        call.text += piece.function?.arguments ?? ''
      }
      return { text, toolCall: call && { id: call.id, name: call.name, arguments: JSON.parse(call.text) as unknown }, usage }
    },
    'openai.whole': async () => foldWhole(await client.chat.completions.create({ ...openaiBody(false), stream: false })),
  }
}
