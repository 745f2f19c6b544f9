import { GoogleGenAI } from '@google/genai'
import { maxTokens, model } from '../conversation.ts'
import type { Answer, Connect } from '../conversation.ts'
import { googleBody, googleUsage } from '../wires/google.ts'

export const connect: Connect = (base) => {
  const { models } = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: base } })
  const { contents, tools } = googleBody
  return {
    async 'google.stream'() {
      let text = ''
      let toolCall: Answer['toolCall']
      let usage: Answer['usage'] = {}
      const config = { tools, maxOutputTokens: maxTokens }
      for await (const chunk of await models.generateContentStream({ model: model.google, contents, config })) {
        if (chunk.usageMetadata) usage = googleUsage(chunk.usageMetadata)
        for (const { text: piece, functionCall: call } of chunk.candidates?.[0]?.content?.parts ?? []) {
          if (piece) text += piece
          if (call) toolCall = { id: call.id ?? '', name: call.name ?? '', arguments: call.args }
        }
      }
      return { text, toolCall, usage }
    },
  }
}
