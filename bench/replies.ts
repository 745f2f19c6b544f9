import { slow, tool } from './conversation.ts'
import type { Answer, Wire } from './conversation.ts'

/** A prepared reply: its events as bytes, how many there are, and what a client must read from them. */
export interface Reply {
  events: Buffer[]
  /** Events that carry something: the closing `[DONE]` isn't counted. */
  count: number
  answer: Answer
}

const words =
  'the harbour lies still in morning light while small boats turn slowly on their chains and gulls argue over bread near old stone steps where fishermen mend nets before a tide that comes early this week'.split(
    ' ',
  )
const closers = ['.', ',', ';', '.\n\n', ' "so they say"', ' – é', ' 🌊']
const callId = { openai: 'call_k3TqZp0vXw8YbnL2', anthropic: 'toolu_01SHf2kbTahK9zYYPDyvNp5r' }
const callArguments = { place: 'Port of "São João"', days: 3, units: 'metric' }

/** Always the same numbers, so that every run and every client reads the same bytes. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Pieces of the size that models stream: mostly a word with its blank, now and then what JSON escapes and what UTF-8 spreads over bytes. */
export function tokens(count: number, seed = 7): string[] {
  const roll = dice(seed)
  return Array.from({ length: count }, () =>
    roll() < 0.08 ? (closers[Math.floor(roll() * closers.length)] ?? '.') : ` ${words[Math.floor(roll() * words.length)] ?? 'the'}`,
  )
}

function pieces(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))
}

function answer(wire: Wire, text: string[], counts: { inputTokens: number; outputTokens: number }): Answer {
  return { text: text.join(''), toolCall: { id: callId[wire], name: tool.name, arguments: callArguments }, usage: counts }
}

/** Chat Completions as OpenAI sends it, with `usage: null` on every chunk and `obfuscation` of random length. */
function openai(count: number): Reply {
  const roll = dice(11)
  const padding = () => pieces('aZ3kQp9LmX2vB7nR', 1 + Math.floor(roll() * 15))[0]
  const chunk = (choices: unknown[], usage: unknown = null) =>
    JSON.stringify({
      id: 'chatcmpl-DPTJImmFi8ztHBFc1C9iyOwgdE1wk',
      object: 'chat.completion.chunk',
      created: 1774963240,
      model: 'gpt-4o-2024-08-06',
      service_tier: 'default',
      system_fingerprint: 'fp_b6f445fc1c',
      choices,
      usage,
      obfuscation: padding(),
    })
  const delta = (value: unknown, finish: string | null = null) =>
    chunk([{ index: 0, delta: value, logprobs: null, finish_reason: finish }])
  const args = pieces(JSON.stringify(callArguments), 4)
  const text = tokens(count - args.length - 4)
  const call = (part: object) => delta({ tool_calls: [{ index: 0, ...part }] })
  const frames = [
    delta({ role: 'assistant', content: '', refusal: null }),
    ...text.map((content) => delta({ content })),
    call({ id: callId.openai, type: 'function', function: { name: tool.name, arguments: '' } }),
    ...args.map((part) => call({ function: { arguments: part } })),
    delta({}, 'tool_calls'),
    chunk([], {
      prompt_tokens: 1184,
      completion_tokens: count,
      total_tokens: 1184 + count,
      prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    }),
  ]
  return {
    events: [...frames, '[DONE]'].map((frame) => Buffer.from(`data: ${frame}\n\n`)),
    count: frames.length,
    answer: answer('openai', text, { inputTokens: 1184, outputTokens: count }),
  }
}

/** The Messages API: named events, typed blocks, one ping, and the blanks before the last brace that it really sends. */
function anthropic(count: number): Reply {
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
    start(1, { type: 'tool_use', id: callId.anthropic, name: tool.name, input: {} }),
    delta(1, { type: 'input_json_delta', partial_json: '' }),
    ...args.map((part) => delta(1, { type: 'input_json_delta', partial_json: part })),
    stop(1),
    event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { ...usage, output_tokens: count } }),
    event('message_stop'),
  ]
  return { events, count: events.length, answer: answer('anthropic', text, { inputTokens: 1184, outputTokens: count }) }
}

/** Chat Completions in one piece. */
function openaiWhole(): Reply {
  const text = tokens(200)
  const body = {
    id: 'chatcmpl-DPTJImmFi8ztHBFc1C9iyOwgdE1wk',
    object: 'chat.completion',
    created: 1774963240,
    model: 'gpt-4o-2024-08-06',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text.join(''),
          tool_calls: [
            { id: callId.openai, type: 'function', function: { name: tool.name, arguments: JSON.stringify(callArguments) } },
          ],
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: {
      prompt_tokens: 1184,
      completion_tokens: 220,
      total_tokens: 1404,
      prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_b6f445fc1c',
  }
  return {
    events: [Buffer.from(JSON.stringify(body))],
    count: 1,
    answer: answer('openai', text, { inputTokens: 1184, outputTokens: 220 }),
  }
}

/** Texts without an end: who reads them leaves after some. */
function flood(count: number): Reply {
  const { events } = openai(count)
  const text = tokens(slow.texts)
  return {
    events: events.slice(1, -40),
    count: slow.texts,
    answer: { text: text.join(''), usage: { inputTokens: undefined, outputTokens: undefined } },
  }
}

/** Events that a stream sends before it waits at the gate, and those at its end (reason, usage, `[DONE]`) that it keeps for another time. */
export const gate = { before: 3, after: 3 }

const counts = { bulk: 2000, paced: 200, short: 40, hang: 40, whole: 1, gate: 40, gateLong: 400, flood: 2000 }

/**
 * How a reply is sent: `bulk` in 16 KB pieces, `paced` one event a write, `short` in one piece, `hang` a few events and then
 * silence, `whole` as JSON, `gate` a few events and the others, one a write, when the gate opens, `flood` texts without an end.
 */
export type Mode = keyof typeof counts

export function isMode(word: string): word is Mode {
  return Object.hasOwn(counts, word)
}

/** The reply that a mode gives on a wire. Upstream and client build it alike, so that the one sends what the other expects. */
export function reply(mode: Mode, wire: Wire): Reply {
  if (mode === 'whole') return openaiWhole()
  if (mode === 'flood') return flood(counts.flood)
  return wire === 'openai' ? openai(counts[mode]) : anthropic(counts[mode])
}
