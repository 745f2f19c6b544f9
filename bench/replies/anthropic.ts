import { tool } from '../conversation.ts'
import { dice, pieces, tokens } from '../tokens.ts'
import { answer, callArguments } from './reply.ts'
import type { Reply } from './reply.ts'

const callId = 'toolu_01SHf2kbTahK9zYYPDyvNp5r'

/** The Messages API: named events, typed blocks, one ping, and the blanks before the last brace that it really sends. */
export function anthropic(count: number): Reply {
  const roll = dice(13)
  const event = (type: string, fields: object = {}) =>
    Buffer.from(
      `event: ${type}\ndata: ${JSON.stringify({ type, ...fields }).slice(0, -1)}${' '.repeat(Math.floor(roll() * 15))}}\n\n`,
    )
  const start = (index: number, block: object) => event('content_block_start', { index, content_block: block })
  const delta = (index: number, value: object) => event('content_block_delta', { index, delta: value })
  const stop = (index: number) => event('content_block_stop', { index })
  const args = pieces(JSON.stringify(callArguments), 9)
  const text = tokens(count - args.length - 9)
  const usage = { input_tokens: 160, cache_creation_input_tokens: 0, cache_read_input_tokens: 1024 }
  const message = {
    model: 'claude-sonnet-4-6',
    id: 'msg_0162isBHX3JcLbJ4NFHthYxA',
    type: 'message',
    role: 'assistant',
    content: [],
  }
  const ends = { stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1, service_tier: 'standard' } }
  const events = [
    event('message_start', { message: { ...message, ...ends } }),
    start(0, { type: 'text', text: '' }),
    event('ping'),
    ...text.map((part) => delta(0, { type: 'text_delta', text: part })),
    stop(0),
    start(1, { type: 'tool_use', id: callId, name: tool.name, input: {} }),
    delta(1, { type: 'input_json_delta', partial_json: '' }),
    ...args.map((part) => delta(1, { type: 'input_json_delta', partial_json: part })),
    stop(1),
    event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { ...usage, output_tokens: count } }),
    event('message_stop'),
  ]
  return { events, count: events.length, answer: answer(callId, text, { inputTokens: 1184, outputTokens: count }) }
}
