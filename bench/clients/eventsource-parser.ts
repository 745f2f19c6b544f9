/** By hand again, with the parser that most libraries use for the framing. Ollama's lines need none. */
import type { Readable } from 'node:stream'
import { createParser } from 'eventsource-parser'
import { request } from 'undici'
import type { Answer, Connect } from '../conversation.ts'
import { handwritten } from '../wire.ts'
import type { Handwritten } from '../wires/handwritten.ts'

async function readEvents(body: Readable, take: (data: string) => void): Promise<void> {
  const parser = createParser({ onEvent: (event) => take(event.data) })
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) parser.feed(chunk) // strings, since an encoding is set
}

async function stream(base: string, { path, headers, body, fold }: Handwritten): Promise<Answer> {
  const reply = await request(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const { take, answer } = fold()
  await readEvents(reply.body, take)
  return answer()
}

export const connect: Connect = (base) => ({
  'openai.stream': () => stream(base, handwritten.openai),
  'anthropic.stream': () => stream(base, handwritten.anthropic),
  'google.stream': () => stream(base, handwritten.google),
})
