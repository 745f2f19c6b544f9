/**
 * LangChain's chat models by `streamEvents`, which gives a message in pieces of its blocks; of the two streams it costs half of
 * what `stream` does, whose chunks are each a message of its own.
 */
import { ChatAnthropic } from '@langchain/anthropic'
import type { ChatModelStreamEvent } from '@langchain/core/language_models/event'
import { HumanMessage } from '@langchain/core/messages'
import type { AIMessageChunk, ContentBlock } from '@langchain/core/messages'
import { ChatGoogle } from '@langchain/google'
import { ChatOllama } from '@langchain/ollama'
import { ChatOpenAI } from '@langchain/openai'
import { noId, maxTokens, model, prompt } from '../conversation.ts'
import type { Answer, Connect } from '../conversation.ts'
import { openaiTool } from '../wires/openai.ts'

/** What the chat models of all providers can. */
interface ChatModel {
  streamEvents(messages: HumanMessage[], options: { tools: (typeof openaiTool)[] }): AsyncIterable<ChatModelStreamEvent>
  invoke(messages: HumanMessage[], options: { tools: (typeof openaiTool)[] }): Promise<AIMessageChunk>
}

const asked = () => [new HumanMessage(prompt)]
const options = { tools: [openaiTool] }

async function stream(chat: ChatModel): Promise<Answer> {
  let text = ''
  let toolCall: Answer['toolCall']
  let counted: { input_tokens?: number; total_tokens?: number } = {}
  let early = 0
  for await (const event of chat.streamEvents(asked(), options)) {
    if (event.event === 'content-block-delta') {
      if (event.delta.type === 'text-delta') text += event.delta.text
    } else if (event.event === 'content-block-finish') {
      if (event.content.type !== 'tool_call') continue
      const { id, name, args } = event.content as ContentBlock.Tools.ToolCall // which is what has that type
      toolCall = { id: id ?? noId, name, arguments: args }
    } else if (event.event === 'message-start') early = event.usage?.output_tokens ?? 0
    else if (event.event === 'message-finish') counted = event.usage ?? {}
  }
  const { input_tokens: inputTokens = 0, total_tokens: total = 0 } = counted
  // Its count of output lacks Gemini's thoughts, but the total has them; and it adds Anthropic's first count to the last.
  return { text, toolCall, usage: { inputTokens, outputTokens: total - inputTokens - early } }
}

async function whole(chat: ChatModel): Promise<Answer> {
  const { text, tool_calls: calls, usage_metadata: usage } = await chat.invoke(asked(), options)
  const call = calls?.[0]
  return {
    text,
    toolCall: call && { id: call.id ?? noId, name: call.name, arguments: call.args },
    usage: { inputTokens: usage?.input_tokens, outputTokens: usage?.output_tokens },
  }
}

export const connect: Connect = (base) => {
  const [configuration, maxRetries] = [{ baseURL: `${base}/v1` }, 0]
  const openai = new ChatOpenAI({ model: model.openai, apiKey: 'k', configuration, maxTokens, maxRetries })
  const anthropic = new ChatAnthropic({ model: model.anthropic, apiKey: 'k', anthropicApiUrl: base, maxTokens, maxRetries })
  const google = new ChatGoogle({ model: model.google, apiKey: 'k', endpoint: base, maxOutputTokens: maxTokens, maxRetries })
  const ollama = new ChatOllama({ model: model.ollama, baseUrl: base, numPredict: maxTokens, maxRetries })
  return {
    'openai.stream': () => stream(openai),
    'openai.whole': () => whole(openai),
    'anthropic.stream': () => stream(anthropic),
    'google.stream': () => stream(google),
    'ollama.stream': () => stream(ollama),
  }
}
