import type { Script } from './gguf.ts'

/** What the demo's model answers when it is asked about Modelwire. */
export const demoAnswer =
  'Modelwire calls any AI model through a YAML manifest. How a provider behaves is data, not code: one file says where ' +
  'the request goes, how it is written, and how the reply is read. You speak one vocabulary of messages, tools and ' +
  'events, and every provider answers in it. These words were streamed by a real llama-server, recorded once, and they ' +
  'pass through the same pipeline that would read a live reply.'

/** The offered tool that these scripts call. */
export const weatherTool = {
  name: 'get_weather',
  description: 'The weather in a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
}

const call = (city: string, days: number): string =>
  `<tool_call>\n{"name": "get_weather", "arguments": {"city": "${city}", "days": ${days}}}\n</tool_call>`

/** A model for tests: text, reasoning, one call, two calls, the answer after a call, and JSON, each by a word in the prompt. */
export const scripts: readonly Script[] = [
  { cue: 'Modelwire', say: demoAnswer },
  { cue: 'celsius', say: 'It is 17 °C in Paris, so take a light coat.' },
  { cue: 'JSON', say: '{"city": "Paris", "celsius": 17}' },
  { cue: 'compare', say: `${call('Oslo', 1)}\n${call('Rome', 3)}` },
  { cue: 'weather', say: call('Paris', 2) },
  { cue: 'think', say: '<think>Two and two make four.</think>The answer is four.' },
  { say: 'Hello! I am a very small model, and I say what I was written to say.' },
]
