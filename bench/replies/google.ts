import { tool } from '../conversation.ts'
import { dice, tokens } from '../tokens.ts'
import { answer, callArguments } from './reply.ts'
import type { Reply } from './reply.ts'

const callId = 'k4w9tz1q'
const [read, thought] = [1184, 93]

/**
 * Gemini's `streamGenerateContent?alt=sse`: lines that end in CRLF, blanks behind colons, some 20 tokens an event, and in each the
 * counts so far. What was thought is counted apart. The call comes whole, with a signature; an empty text brings the reason.
 */
export function google(count: number): Reply {
  const roll = dice(17)
  const texts = Array.from({ length: count - 2 }, (_, index) => tokens(16 + Math.floor(roll() * 9), index))
  let written = 0
  const event = (spent: number, part: string, more = '') => {
    written += spent
    const prompt = `"promptTokenCount": ${read},"candidatesTokenCount": ${written},"totalTokenCount": ${read + written + thought}`
    const details = `"promptTokensDetails": [{"modality": "TEXT","tokenCount": ${read}}],"thoughtsTokenCount": ${thought}`
    return Buffer.from(
      `data: {"candidates": [{"content": {"parts": [{${part}}],"role": "model"},${more}"index": 0}],"usageMetadata": {${prompt},${details},"serviceTier": "standard"},"modelVersion": "gemini-3.5-flash","responseId": "q7RkaYD2NpWxz7IP8sLm0Ak"}\r\n\r\n`,
    )
  }
  const say = (text: string) => `"text": ${JSON.stringify(text)}`
  const signature = Buffer.from(Array.from({ length: 600 }, () => roll() * 256)).toString('base64')
  const call = `"functionCall": {"name": "${tool.name}","args": ${JSON.stringify(callArguments)},"id": "${callId}"}`
  const events = [
    ...texts.map((text) => event(text.length, say(text.join('')))),
    event(22, `${call},"thoughtSignature": "${signature}"`),
    event(0, say(''), '"finishReason": "STOP",'),
  ]
  return { events, count, answer: answer(callId, texts.flat(), { inputTokens: read, outputTokens: written + thought }) }
}
