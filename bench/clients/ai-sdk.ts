import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogle } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, jsonSchema, streamText, tool as defineTool } from 'ai'
import type { LanguageModel } from 'ai'
import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer, Connect } from '../conversation.ts'

const input = jsonSchema<Record<string, unknown>>(tool.parameters)
const tools = { [tool.name]: defineTool({ description: tool.description, inputSchema: input }) }
const asked = (languageModel: LanguageModel) => ({ model: languageModel, prompt, tools, maxOutputTokens: maxTokens, maxRetries: 0 })

async function stream(languageModel: LanguageModel): Promise<Answer> {
  let text = ''
  let toolCall: Answer['toolCall']
  let usage: Answer['usage'] = {}
  for await (const part of streamText(asked(languageModel)).stream) {
    if (part.type === 'text-delta') text += part.text
    else if (part.type === 'tool-call') toolCall = { id: part.toolCallId, name: part.toolName, arguments: part.input }
    else if (part.type === 'finish')
      usage = { inputTokens: part.totalUsage.inputTokens, outputTokens: part.totalUsage.outputTokens }
    else if (part.type === 'error') throw part.error
  }
  return { text, toolCall, usage }
}

async function whole(languageModel: LanguageModel): Promise<Answer> {
  const { text, toolCalls, usage } = await generateText(asked(languageModel))
  const call = toolCalls[0]
  return {
    text,
    toolCall: call && { id: call.toolCallId, name: call.toolName, arguments: call.input },
    usage: { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens },
  }
}

export const connect: Connect = (base) => {
  const openai = createOpenAI({ apiKey: 'k', baseURL: `${base}/v1` }).chat(model.openai)
  const anthropic = createAnthropic({ apiKey: 'k', baseURL: `${base}/v1` })(model.anthropic)
  const google = createGoogle({ apiKey: 'k', baseURL: `${base}/v1beta` })(model.google)
  return {
    'openai.stream': () => stream(openai),
    'openai.whole': () => whole(openai),
    'anthropic.stream': () => stream(anthropic),
    'google.stream': () => stream(google),
  }
}
