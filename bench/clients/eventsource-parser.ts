/** By hand again, with the parser that most libraries use for the framing. */
import type { Readable } from 'node:stream'
import { request } from 'undici'
import { createParser } from 'eventsource-parser'
import { anthropicBody, foldAnthropic, foldOpenai, headers, openaiBody } from '../wire.ts'
import type { Connect } from '../conversation.ts'

async function readEvents(body: Readable, take: (data: string) => void): Promise<void> {
  const parser = createParser({ onEvent: (event) => take(event.data) })
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) parser.feed(chunk) // strings, since an encoding is set
}

export const connect: Connect = (base) => ({
  async 'openai.stream'() {
    const { body } = await request(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: headers.openai,
      body: JSON.stringify(openaiBody(true)),
    })
    const fold = foldOpenai()
    await readEvents(body, fold.take)
    return fold.answer()
  },
  async 'anthropic.stream'() {
    const { body } = await request(`${base}/v1/messages`, {
      method: 'POST',
      headers: headers.anthropic,
      body: JSON.stringify(anthropicBody),
    })
    const fold = foldAnthropic()
    await readEvents(body, fold.take)
    return fold.answer()
  },
})
