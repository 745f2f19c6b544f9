import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answer, type Kind, prompts } from '../../models/evaluation/run.ts'
import type { Event } from '../../src/index.ts'
import { both, type Target } from '../tools/both.ts'

const file = new URL('../../models/pocket.gguf', import.meta.url)

describe('the model that comes with Modelwire', () => {
  it('is the file that its checksum says, and at most 5 MB', () => {
    const bytes = readFileSync(file)
    const [sum] = readFileSync(new URL('../../models/pocket.gguf.sha256', import.meta.url), 'utf8').split(' ')
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sum)
    expect(bytes.length).toBeLessThanOrEqual(5_000_000)
  })
})

/** What the card (models/README.md) says that it gets right of prompts it wasn't trained on, a little rounded down. */
const rates: Record<Kind, number> = { tool: 0.94, copy: 0.91, schema: 0.93, result: 0.97, chat: 0.86 }

const places = await both({ model: 'pocket', file: file.pathname, context: 4096, slots: 2 })

for (const { name, open, skipped } of places) {
  describe.skipIf(skipped)(`Pocket ${name}`, () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 30_000)
    afterAll(() => target?.close())

    it('says what Modelwire is, piece by piece, and stops by itself', async () => {
      const events: Event[] = []
      const stream = target.mw.stream({ model: target.model, prompt: 'What is Modelwire?', temperature: 0 })
      for await (const event of stream) events.push(event)
      const { text, finishReason, usage } = await stream.result
      expect(text).toContain('Modelwire')
      expect(finishReason).toBe('stop')
      expect(events.filter(({ type }) => type === 'text').length).toBeGreaterThan(5)
      expect(usage.outputTokens).toBeGreaterThan(5)
    })

    it('calls a tool, reads its result and answers from it', async () => {
      const tool = {
        name: 'weather',
        description: 'The weather in a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      }
      const question = { role: 'user' as const, content: 'What is the weather in Paris?' }
      const asked = { model: target.model, tools: [tool], temperature: 0 }
      const call = await target.mw.chat({ ...asked, messages: [question] })
      expect(call.toolCalls.map(({ name: tried, arguments: given }) => [tried, given])).toEqual([['weather', { city: 'Paris' }]])
      expect(call.finishReason).toBe('tool_calls')
      const results = call.toolCalls.map(({ id }) => ({ type: 'tool_result' as const, id, content: { city: 'Paris', celsius: 7 } }))
      const reply = await target.mw.chat({ ...asked, messages: [question, call.message, { role: 'tool', content: results }] })
      expect(reply.text).toContain('7')
      expect(reply.finishReason).toBe('stop')
    })

    it.each(Object.entries(rates) as [Kind, number][])(
      'gets %s right in at least so many of all cases: %d',
      async (kind, least) => {
        const all = prompts(kind)
        let right = 0
        for (const prompt of all) if ((await answer(target.mw, target.model, prompt)).right) right += 1
        expect(right / all.length).toBeGreaterThanOrEqual(least)
      },
      120_000,
    )
  })
}
