/** The floor that all ratios are to: what a careful programmer writes for one provider. undici, line split, JSON.parse. */
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { anthropicBody, foldAnthropic, foldOpenai, foldWhole, headers, openaiBody } from '../wire.ts'
import { slow } from '../conversation.ts'
import type { Connect } from '../conversation.ts'

/** Calls `take` with the data of each event. Of four ways to decode, this one cost least; `TextDecoder` takes a tenth more. */
async function readLines(body: Readable, take: (data: string) => void): Promise<void> {
  let rest = ''
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
    // strings, since an encoding is set
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) take(line.slice(6))
  }
}

export const connect: Connect = (base) => ({
  async 'openai.stream'() {
    const { body } = await request(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: headers.openai,
      body: JSON.stringify(openaiBody(true)),
    })
    const fold = foldOpenai()
    await readLines(body, fold.take)
    return fold.answer()
  },
  async 'openai.slow'() {
    const { body } = await request(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: headers.openai,
      body: JSON.stringify(openaiBody(true)),
    })
    const fold = foldOpenai()
    let [rest, texts] = ['', 0]
    for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (!line.startsWith('data: ')) continue
        fold.take(line.slice(6))
        await sleep(slow.ms)
        if (++texts === slow.texts) return fold.answer() // leaving the loop closes the connection
      }
    }
    throw new Error('a stream without an end ended')
  },
  async 'openai.whole'() {
    const { body } = await request(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: headers.openai,
      body: JSON.stringify(openaiBody(false)),
    })
    return foldWhole(await body.json())
  },
  async 'anthropic.stream'() {
    const { body } = await request(`${base}/v1/messages`, {
      method: 'POST',
      headers: headers.anthropic,
      body: JSON.stringify(anthropicBody),
    })
    const fold = foldAnthropic()
    await readLines(body, fold.take)
    return fold.answer()
  },
})
