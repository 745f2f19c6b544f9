import { slow, tool } from '../conversation.ts'
import { dice, pieces, tokens } from '../tokens.ts'
import { answer, callArguments } from './reply.ts'
import type { Reply } from './reply.ts'

const callId = 'call_k3TqZp0vXw8YbnL2'

/** Chat Completions as OpenAI sends it, with `usage: null` on every chunk and `obfuscation` of random length. */
export function openai(count: number): Reply {
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
    call({ id: callId, type: 'function', function: { name: tool.name, arguments: '' } }),
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
    answer: answer(callId, text, { inputTokens: 1184, outputTokens: count }),
  }
}

/** Chat Completions in one piece. */
export function openaiWhole(): Reply {
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
          tool_calls: [{ id: callId, type: 'function', function: { name: tool.name, arguments: JSON.stringify(callArguments) } }],
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
    answer: answer(callId, text, { inputTokens: 1184, outputTokens: 220 }),
  }
}

/** Texts without an end: who reads them leaves after some. */
export function flood(count: number): Reply {
  const { events } = openai(count)
  const text = tokens(slow.texts)
  return {
    events: events.slice(1, -40),
    count: slow.texts,
    answer: { text: text.join(''), usage: { inputTokens: undefined, outputTokens: undefined } },
  }
}
