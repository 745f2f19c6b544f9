/** Modelwire as it is published: the built package, so that no type stripping is in the measured part. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { maxTokens, model, prompt, slow, tool } from '../conversation.ts'
import type { Answer, Connect, Wire } from '../conversation.ts'
import type { Event } from '../../src/core/event.ts'
import type { ChatResult } from '../../src/core/result.ts'

/** As much of the package's face as the benchmark uses, so that the benchmark's types need no build. */
interface Modelwire {
  createRuntime(options: object): { stream(request: object): AsyncIterable<Event>; chat(request: object): Promise<ChatResult> }
}

const entry = new URL('../../dist/index.js', import.meta.url)

const asked = (wire: Wire) => ({
  model: `${wire}/${model[wire]}`,
  messages: [{ role: 'user', content: prompt }],
  tools: [tool],
  maxTokens,
})

async function fold(stream: AsyncIterable<Event>): Promise<Answer> {
  let text = ''
  let toolCall: Answer['toolCall']
  let usage: Answer['usage'] = {}
  for await (const event of stream) {
    if (event.type === 'text') text += event.delta
    else if (event.type === 'tool_call') toolCall = { id: event.id, name: event.name, arguments: event.arguments }
    else if (event.type === 'usage') usage = event
  }
  return { text, toolCall, usage }
}

async function readSlowly(stream: AsyncIterable<Event>): Promise<Answer> {
  let [text, texts] = ['', 0]
  for await (const event of stream) {
    if (event.type !== 'text') continue
    text += event.delta
    await sleep(slow.ms)
    if (++texts === slow.texts) return { text, usage: {} } // leaving the loop closes the connection
  }
  throw new Error('a stream without an end ended')
}

export const connect: Connect = async (base) => {
  if (!existsSync(entry)) throw new Error('not there yet: dist/index.js is missing; npm run build makes it')
  return tasksOf((await import(entry.href)) as Modelwire, base) // our own package
}

export function tasksOf({ createRuntime }: Modelwire, base: string): ReturnType<Connect> {
  const mw = createRuntime({
    providers: {
      openai: { baseUrl: `${base}/v1`, apiKey: 'k', wire: 'chat' },
      anthropic: { baseUrl: `${base}/v1`, apiKey: 'k' },
      google: { baseUrl: `${base}/v1beta`, apiKey: 'k' },
      ollama: { baseUrl: base },
    },
  })
  return {
    'openai.stream': () => fold(mw.stream(asked('openai'))),
    'openai.slow': () => readSlowly(mw.stream(asked('openai'))),
    'anthropic.stream': () => fold(mw.stream(asked('anthropic'))),
    'google.stream': () => fold(mw.stream(asked('google'))),
    'ollama.stream': () => fold(mw.stream(asked('ollama'))),
    async 'openai.whole'() {
      const { text, toolCalls, usage } = await mw.chat(asked('openai'))
      const call = toolCalls[0]
      return { text, toolCall: call && { id: call.id, name: call.name, arguments: call.arguments }, usage }
    },
  }
}
