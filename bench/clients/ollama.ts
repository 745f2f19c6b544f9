import { Ollama } from 'ollama'
import type { Answer, Connect } from '../conversation.ts'
import { ollamaBody } from '../wires/ollama.ts'

export const connect: Connect = (base) => {
  const client = new Ollama({ host: base })
  return {
    async 'ollama.stream'() {
      let text = ''
      let toolCall: Answer['toolCall']
      let usage: Answer['usage'] = {}
      for await (const line of await client.chat(ollamaBody)) {
        text += line.message.content
        const call = line.message.tool_calls?.[0]
        if (call) toolCall = { id: idOf(call), name: call.function.name, arguments: call.function.arguments }
        if (line.done) usage = { inputTokens: line.prompt_eval_count, outputTokens: line.eval_count }
      }
      return { text, toolCall, usage }
    },
  }
}

/** It gives the call as it came, though its type has no id. */
const idOf = (call: object) => ('id' in call ? String(call.id) : '')
