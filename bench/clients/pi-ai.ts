/** pi-ai's APIs called directly, which is its shortest way: no provider is looked up, no key resolved. */
import { normalizeContext } from '@earendil-works/pi-ai'
import type { AssistantMessageEvent, Model } from '@earendil-works/pi-ai'
import { stream as streamAnthropic } from '@earendil-works/pi-ai/api/anthropic-messages'
import { stream as streamGoogle } from '@earendil-works/pi-ai/api/google-generative-ai'
import { stream as streamOpenai } from '@earendil-works/pi-ai/api/openai-completions'
import { maxTokens, model, prompt, tool } from '../conversation.ts'
import type { Answer, Connect } from '../conversation.ts'

const options = { apiKey: 'k', maxTokens, maxRetries: 0 }
const asked = () => normalizeContext({ messages: [{ role: 'user', content: prompt, timestamp: Date.now() }], tools: [tool] })

async function fold(stream: AsyncIterable<AssistantMessageEvent>): Promise<Answer> {
  let text = ''
  let toolCall: Answer['toolCall']
  for await (const event of stream) {
    if (event.type === 'text_delta') text += event.delta
    else if (event.type === 'toolcall_end') {
      const { id, name, arguments: given } = event.toolCall
      toolCall = { id, name, arguments: given }
    } else if (event.type === 'done') {
      const { input, cacheRead, cacheWrite, output } = event.message.usage
      return { text, toolCall, usage: { inputTokens: input + cacheRead + cacheWrite, outputTokens: output } }
    } else if (event.type === 'error') throw new Error(event.error.errorMessage)
  }
  throw new Error('the stream said no end')
}

export const connect: Connect = (base) => {
  const described = {
    reasoning: false,
    input: ['text' as const],
    cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
    contextWindow: 128_000,
    maxTokens,
  }
  const openai: Model<'openai-completions'> = {
    ...described,
    id: model.openai,
    name: model.openai,
    api: 'openai-completions',
    provider: 'openai',
    baseUrl: `${base}/v1`,
  }
  const anthropic: Model<'anthropic-messages'> = {
    ...described,
    id: model.anthropic,
    name: model.anthropic,
    api: 'anthropic-messages',
    provider: 'anthropic',
    baseUrl: base,
  }
  const google: Model<'google-generative-ai'> = {
    ...described,
    id: model.google,
    name: model.google,
    api: 'google-generative-ai',
    provider: 'google',
    baseUrl: `${base}/v1beta`,
  }
  return {
    'openai.stream': () => fold(streamOpenai(openai, asked(), options)),
    'anthropic.stream': () => fold(streamAnthropic(anthropic, asked(), options)),
    'google.stream': () => fold(streamGoogle(google, asked(), options)),
  }
}
