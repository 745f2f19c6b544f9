import { tool } from '../conversation.ts'
import { dice, tokens } from '../tokens.ts'
import { answer, callArguments } from './reply.ts'
import type { Reply } from './reply.ts'

const callId = 'call_x2m7vq4d'
const start = Date.UTC(2026, 7, 7, 6, 8)

/**
 * Ollama's `/api/chat`: a line of JSON a token, each with its own time, to the microsecond and without closing zeros. The call
 * comes whole, its arguments as a map; the last line has durations in nanoseconds, and counts.
 */
export function ollama(count: number): Reply {
  const roll = dice(19)
  let micros = 0
  const line = (message: object, done = false, more: object = {}) => {
    micros += 8_000 + Math.floor(roll() * 4_000)
    const millis = new Date(start + micros / 1000).toISOString().slice(0, -1)
    const time = `${millis}${String(micros % 1000).padStart(3, '0')}`.replace(/0+$/, '')
    const frame = { model: 'qwen3.6:latest', created_at: `${time}Z`, message: { role: 'assistant', ...message }, done, ...more }
    return Buffer.from(`${JSON.stringify(frame)}\n`)
  }
  const text = tokens(count - 2)
  const events = [
    ...text.map((content) => line({ content })),
    line({
      content: '',
      tool_calls: [{ id: callId, function: { index: 0, name: tool.name, arguments: callArguments } }],
    }),
    line({ content: '' }, true, {
      done_reason: 'stop',
      total_duration: 20_625_649_709,
      load_duration: 142_828_459,
      prompt_eval_count: 1184,
      prompt_eval_duration: 459_321_000,
      eval_count: count,
      eval_duration: 20_019_494_000,
    }),
  ]
  return { events, count, answer: answer(callId, text, { inputTokens: 1184, outputTokens: count }) }
}
