/**
 * The first thing to try: `npm start`. Needs no key and no network. A server on this machine plays back what a real
 * llama-server once answered, byte for byte; Modelwire calls it like any other provider, through its manifest and HTTP.
 */
import { readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createRuntime, type Exchange } from '../src/index.ts'

type Recorded = Exchange & {
  request: { body: { model: string; messages: { content: string }[] } }
  response: { bodyText: string }
  /** When each piece came (milliseconds), and where in the body it begins (bytes). */
  timings: [number, number][]
}

const recorded = JSON.parse(
  readFileSync(new URL('../test/fixtures/llama-server/chat-demo.json', import.meta.url), 'utf8'),
) as Recorded // our own file
const question = recorded.request.body.messages[0]?.content ?? ''

/** The recording took a tenth of a second; this is a pace that one can read. */
const lasts = 2_500

/** The recorded pieces, at their recorded distances, slowed down. */
async function playBack(response: ServerResponse): Promise<void> {
  const body = Buffer.from(recorded.response.bodyText)
  const { timings } = recorded
  const begin = timings[0]?.[0] ?? 0
  const scale = lasts / Math.max(1, (timings.at(-1)?.[0] ?? 0) - begin)
  const started = performance.now()
  response.writeHead(recorded.response.status, recorded.response.headers)
  for (const [index, [at, offset]] of timings.entries()) {
    await wait(Math.max(0, (at - begin) * scale - (performance.now() - started)))
    response.write(body.subarray(offset, timings[index + 1]?.[1] ?? body.length))
  }
  response.end()
}

const server = createServer((request, response) => {
  request.resume().on('end', () => void playBack(response))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo // it listens on TCP

const mw = createRuntime({ providers: { 'llama-server': { baseUrl: `http://127.0.0.1:${port}/v1` } } })
const bold = (text: string): string => (process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[1m${text}\u001b[22m` : text)

console.log(`${bold(question)}\n`)
const stream = mw.stream({ model: `llama-server/${recorded.request.body.model}`, prompt: question })
for await (const event of stream) if (event.type === 'text') process.stdout.write(event.delta)

const { usage, timing, finishReason } = await stream.result
const seconds = (timing.totalMs - (timing.firstEventMs ?? 0)) / 1_000
const speed = Math.round((usage.outputTokens ?? 0) / seconds)
console.log(`

${usage.inputTokens} tokens in · ${usage.outputTokens} out · ${speed} tok/s · ${seconds.toFixed(1)} s · finished: ${finishReason}

This was a recorded answer of a real llama-server, slowed down and served on 127.0.0.1:${port}: no model ran and nothing
left this machine. The request, HTTP, the stream and its reading through protocols/providers/llama-server.yaml were real.

The same with a key, and with a model that answers you:

  ${bold('OPENAI_API_KEY=… npx modelwire chat -m openai/gpt-5 "Why is the sky blue?"')}
  npx modelwire providers        shows who else can be called`)

await mw.close()
server.close()
