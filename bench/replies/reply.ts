import { tool } from '../conversation.ts'
import type { Answer } from '../conversation.ts'

/** A prepared reply: its events as bytes, how many there are, and what a client must read from them. */
export interface Reply {
  events: Buffer[]
  /** Events that carry something: the closing `[DONE]` isn't counted. */
  count: number
  answer: Answer
}

export const callArguments = { place: 'Port of "São João"', days: 3, units: 'metric' }

export function answer(callId: string, text: string[], usage: Answer['usage']): Answer {
  return { text: text.join(''), toolCall: { id: callId, name: tool.name, arguments: callArguments }, usage }
}
