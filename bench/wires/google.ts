import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer } from '../conversation.ts'
import type { Fold, Handwritten } from './handwritten.ts'

export const googleBody = {
  contents: [{ role: 'user', parts: [{ text: prompt }] }],
  tools: [
    {
      functionDeclarations: [{ name: tool.name, description: tool.description, parametersJsonSchema: tool.parameters }],
    },
  ],
  generationConfig: { maxOutputTokens: maxTokens },
}

interface Part {
  text?: string
  functionCall?: { id: string; name: string; args: unknown }
}
interface Chunk {
  candidates: { content: { parts: Part[] } }[]
  usageMetadata: GoogleUsage
}
interface GoogleUsage {
  promptTokenCount?: number
  candidatesTokenCount?: number
  thoughtsTokenCount?: number
}

/** What was thought is counted apart. */
export const googleUsage = (usage: GoogleUsage) => ({
  inputTokens: usage.promptTokenCount,
  outputTokens: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
})

function fold(): Fold {
  let text = ''
  let toolCall: Answer['toolCall']
  let usage: GoogleUsage = {}
  return {
    take(data) {
      const chunk = JSON.parse(data) as Chunk // by hand one trusts the provider
      usage = chunk.usageMetadata
      for (const part of chunk.candidates[0]?.content.parts ?? []) {
        if (part.text) text += part.text
        const call = part.functionCall
        if (call) toolCall = { id: call.id, name: call.name, arguments: call.args }
      }
    },
    answer: () => ({ text, toolCall, usage: googleUsage(usage) }),
  }
}

export const google: Handwritten = {
  path: `/v1beta/models/${model.google}:streamGenerateContent?alt=sse`,
  headers: { 'x-goog-api-key': 'k', 'content-type': 'application/json' },
  body: googleBody,
  prefix: 'data: ', // lines end in CRLF; JSON.parse takes the CR for a blank
  fold,
}
