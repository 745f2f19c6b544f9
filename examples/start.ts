/**
 * The first thing to try: `npm start`. Needs no key, no network and no download: the small model of this repository,
 * models/pocket.gguf, answers in this process. Modelwire calls it like any other provider, through its manifest.
 */
import { createRuntime } from '../src/index.ts'

const question = process.argv.slice(2).join(' ') || 'What is Modelwire?'
const bold = (text: string): string => (process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[22m` : text)

const mw = createRuntime()
console.log(`${bold(question)}\n`)

const stream = mw.stream({ model: 'llama/pocket', prompt: question })
for await (const event of stream) if (event.type === 'text') process.stdout.write(event.delta)

const { usage, timing, finishReason } = await stream.result
const seconds = (timing.totalMs - (timing.firstEventMs ?? 0)) / 1_000
const speed = Math.round((usage.outputTokens ?? 0) / seconds)
console.log(`

${usage.inputTokens} tokens in · ${usage.outputTokens} out · ${speed} tok/s · ${(timing.totalMs / 1_000).toFixed(1)} s with loading · finished: ${finishReason}

This was Pocket, a model of 4 million parameters (models/README.md), through protocols/providers/llama.yaml. Talk with it, or with a larger one:

  ${bold('npx modelwire chat')}
  ${bold('npx modelwire chat -m llama/./path/to/model.gguf')}
  ${bold('OPENAI_API_KEY=… npx modelwire chat -m openai/gpt-5 "Why is the sky blue?"')}
  npx modelwire providers        shows who else can be called`)

await mw.close()
