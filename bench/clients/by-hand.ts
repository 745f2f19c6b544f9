/** The floor that all ratios are to: what a careful programmer writes for one provider. undici, line split, JSON.parse. */
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { slow } from '../conversation.ts'
import type { Answer, Connect } from '../conversation.ts'
import { handwritten } from '../wire.ts'
import type { Handwritten } from '../wires/handwritten.ts'
import { foldWhole, openaiBody } from '../wires/openai.ts'

const { openai, anthropic, google, ollama } = handwritten

async function post(base: string, { path, headers, body }: Handwritten) {
  return (await request(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).body
}

/** Calls `take` with the data of each event. Of four ways to decode, this one cost least; `TextDecoder` takes a tenth more. */
async function readLines(body: Readable, prefix: string, take: (data: string) => void): Promise<void> {
  let rest = ''
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
    // strings, since an encoding is set
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith(prefix)) take(line.slice(prefix.length))
  }
}

async function stream(base: string, wire: Handwritten): Promise<Answer> {
  const body = await post(base, wire)
  const fold = wire.fold()
  await readLines(body, wire.prefix, fold.take)
  return fold.answer()
}

async function readSlowly(base: string): Promise<Answer> {
  const body = await post(base, openai)
  const fold = openai.fold()
  let [rest, texts] = ['', 0]
  for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith(openai.prefix)) continue
      fold.take(line.slice(openai.prefix.length))
      await sleep(slow.ms)
      if (++texts === slow.texts) return fold.answer() // leaving the loop closes the connection
    }
  }
  throw new Error('a stream without an end ended')
}

export const connect: Connect = (base) => ({
  'openai.stream': () => stream(base, openai),
  'anthropic.stream': () => stream(base, anthropic),
  'google.stream': () => stream(base, google),
  'ollama.stream': () => stream(base, ollama),
  'openai.slow': () => readSlowly(base),
  async 'openai.whole'() {
    const body = await post(base, { ...openai, body: openaiBody(false) })
    return foldWhole(await body.json())
  },
})
