import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChatRequest, type ChatResult, createRuntime, type Event } from '../../src/index.ts'
import { both, type Target } from '../tools/both.ts'
import { randomModel } from '../tools/gguf.ts'
import { failure } from '../tools/failure.ts'

// The same questions with the same expectations, once to llama.cpp in this process and once to a server that we didn't
// write. The model's weights are random: it babbles, so what is looked at is the form of what comes, and that limits hold.

const folder = mkdtempSync(join(tmpdir(), 'modelwire-llama-'))
const file = join(folder, 'random.gguf')
writeFileSync(file, randomModel(1))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const weather = {
  name: 'weather',
  description: 'The weather in a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', enum: ['Oslo', 'Paris'] }, days: { type: 'integer', enum: [1, 2, 3] } },
    required: ['city', 'days'],
  },
}
const clock = {
  name: 'clock',
  parameters: { type: 'object', properties: { zone: { type: 'string', enum: ['utc', 'cet'] } }, required: ['zone'] },
}
const shape = {
  type: 'object',
  properties: { mood: { enum: ['good', 'bad'] }, scores: { type: 'array', items: { type: 'boolean' }, minItems: 2, maxItems: 3 } },
  required: ['mood', 'scores'],
  additionalProperties: false,
}

const contextLength = 1024

const places = await both({ file, settings: { contextLength }, context: contextLength * 4, slots: 4 })

for (const { name, open, skipped } of places) {
  describe.skipIf(skipped)(`a model of random weights ${name}`, () => {
    let target: Target
    beforeAll(async () => {
      target = await open()
    }, 30_000)
    afterAll(() => target?.close())

    const chat = (request: Omit<ChatRequest, 'model'>): Promise<ChatResult> => target.mw.chat({ ...request, model: target.model })

    async function events(request: Omit<ChatRequest, 'model'>): Promise<{ events: Event[]; result: ChatResult }> {
      const stream = target.mw.stream({ ...request, model: target.model })
      const all: Event[] = []
      for await (const event of stream) all.push(event)
      return { events: all, result: await stream.result }
    }

    it('streams text: one start, many pieces, one finish, then usage', async () => {
      const { events: all, result } = await events({ prompt: 'Hello', maxTokens: 20 })
      const kinds = all.map(({ type }) => type)
      expect(kinds[0]).toBe('start')
      expect(kinds.slice(-2)).toEqual(['finish', 'usage'])
      expect(kinds.filter((kind) => kind === 'text').length).toBeGreaterThan(8)
      expect(new Set(kinds)).toEqual(new Set(['start', 'text', 'finish', 'usage']))
      expect(result.text.length).toBeGreaterThan(10)
      expect(result.finishReason).toBe('length')
      expect(result.usage.outputTokens).toBe(20)
      expect(result.usage.totalTokens).toBe((result.usage.inputTokens ?? 0) + 20)
      expect(result.id).toMatch(/^chat/)
      expect(result.warnings).toEqual([])
    })

    it('says the same whole as in pieces, for the same seed', async () => {
      const request = { prompt: 'Hello', maxTokens: 24, seed: 7, temperature: 0.5 }
      const whole = await chat(request)
      const { result } = await events(request)
      expect(whole.text).not.toBe('')
      expect(result.text).toBe(whole.text)
      expect(result.finishReason).toBe(whole.finishReason)
      expect(Object.keys(result).toSorted()).toEqual(Object.keys({ ...whole, timing: 1 }).toSorted())
    })

    it('reads a conversation that goes on from where it stopped', async () => {
      const system = 'You are a patient listener who remembers all that was said before and answers briefly.'
      const first = await chat({ system, prompt: 'Hello, it is raining here again today', maxTokens: 8 })
      const messages = [
        { role: 'user' as const, content: 'Hello, it is raining here again today' },
        first.message,
        { role: 'user' as const, content: 'And now?' },
      ]
      const second = await chat({ system, messages, maxTokens: 4 })
      const { inputTokens = 0, cachedInputTokens = 0 } = second.usage
      expect(cachedInputTokens).toBeGreaterThan(40)
      expect(cachedInputTokens).toBeLessThan(inputTokens)
    })

    it('stops at a word that it was told', async () => {
      const said = (await chat({ prompt: 'Hello', maxTokens: 30, seed: 3, temperature: 0 })).text
      const word = said.slice(6, 8)
      const cut = await chat({ prompt: 'Hello', maxTokens: 30, seed: 3, temperature: 0, stop: word })
      expect(cut.text).toBe(said.slice(0, said.indexOf(word)))
      expect(cut.finishReason).toBe('stop')
    })

    it('must call a tool when it is required', async () => {
      const { events: all, result } = await events({
        prompt: 'Hello',
        tools: [weather, clock],
        toolChoice: 'required',
        parallelToolCalls: false,
        maxTokens: 200,
      })
      expect(result.finishReason).toBe('tool_calls')
      const [call] = result.toolCalls
      expect(['weather', 'clock']).toContain(call?.name)
      expect(JSON.parse(call?.argumentsText ?? '')).toEqual(call?.arguments)
      const own = all.filter((event) => 'id' in event && event.id === call?.id).map(({ type }) => type)
      expect(own[0]).toBe('tool_call_start')
      expect(own.at(-1)).toBe('tool_call')
      expect(own.filter((type) => type === 'tool_call')).toHaveLength(1)
    })

    it('calls the tool that is named', async () => {
      const result = await chat({
        prompt: 'Hello',
        tools: [weather, clock],
        toolChoice: { type: 'tool', name: 'clock' },
        parallelToolCalls: false,
        maxTokens: 200,
      })
      expect(result.toolCalls.map(({ name: tool }) => tool)).toEqual(['clock'])
      expect(['utc', 'cet']).toContain(result.toolCalls[0]?.arguments?.zone)
    })

    it('calls no tool when none may be called', async () => {
      const result = await chat({ prompt: 'Hello', tools: [weather], toolChoice: 'none', maxTokens: 12 })
      expect(result.toolCalls).toEqual([])
      expect(result.finishReason).toBe('length')
    })

    it('takes the results of calls back', async () => {
      const call = await chat({
        prompt: 'Hello',
        tools: [weather],
        toolChoice: 'required',
        parallelToolCalls: false,
        maxTokens: 200,
      })
      const messages = [
        { role: 'user' as const, content: 'Hello' },
        call.message,
        {
          role: 'tool' as const,
          content: call.toolCalls.map(({ id }) => ({ type: 'tool_result' as const, id, content: { celsius: 7 } })),
        },
      ]
      const result = await chat({ messages, tools: [weather], maxTokens: 10 })
      expect(result.text).not.toBe('')
    })

    it('keeps to a JSON Schema', async () => {
      const result = await chat({ prompt: 'Hello', output: shape, maxTokens: 100, seed: 1 })
      expect(Object.keys(result.object as object)).toEqual(['mood', 'scores'])
      expect(JSON.parse(result.text)).toEqual(result.object)
      expect(result.finishReason).toBe('stop')
    })

    it('says that a form was cut, and gives what had come', async () => {
      const error = await failure(chat({ prompt: 'Hello', output: shape, maxTokens: 3 }))
      expect(error).toMatchObject({ kind: 'output', hint: 'the reply was cut: raise maxTokens' })
      expect(error.partial?.finishReason).toBe('length')
    })

    it('keeps to a grammar of llama.cpp’s own', async () => {
      const { text } = await chat({ prompt: 'Hello', extra: { grammar: 'root ::= "yes" | "no"' }, maxTokens: 10 })
      expect(['yes', 'no']).toContain(text)
    })

    it('gives several answers, each with its end', async () => {
      const { events: all, result } = await events({ prompt: 'Hello', n: 3, maxTokens: 10, temperature: 2 })
      expect(result.choices).toHaveLength(3)
      expect(new Set(result.choices.map(({ text }) => text)).size).toBe(3)
      expect(all.filter(({ type }) => type === 'finish')).toHaveLength(3)
    })

    it('refuses a prompt that is too long, and never cuts it', async () => {
      const error = await failure(chat({ prompt: 'word '.repeat(4000), maxTokens: 5 }))
      expect(error.kind).toBe('context_length')
      expect(error.message).toMatch(/\d{4,}/)
    })

    it('ends an answer that fills the context as cut, with every message still read', async () => {
      const { text, finishReason, usage } = await chat({ prompt: 'Hello' })
      expect(finishReason).toBe('length')
      expect(text.length).toBeGreaterThan(1000)
      expect(usage.totalTokens).toBeLessThanOrEqual(contextLength)
    })

    it('stops when the caller wishes, and works on', async () => {
      const abort = new AbortController()
      const stream = target.mw.stream({ model: target.model, prompt: 'Hello', maxTokens: 900, signal: abort.signal })
      let pieces = 0
      const error = await failure(
        (async () => {
          for await (const event of stream) if (event.type === 'text' && ++pieces === 5) abort.abort(new Error('enough'))
        })(),
      )
      expect(error).toMatchObject({ kind: 'cancelled', cause: new Error('enough') })
      expect(pieces).toBeLessThan(200)
      expect((await chat({ prompt: 'Hello', maxTokens: 3 })).text).not.toBe('')
    })

    it('a reader who leaves ends the answer', async () => {
      for await (const event of target.mw.stream({ model: target.model, prompt: 'Hello', maxTokens: 900 }))
        if (event.type === 'text') break
      expect((await chat({ prompt: 'Hello', maxTokens: 3 })).text).not.toBe('')
    })

    it('writes four answers at once', async () => {
      const answers = await Promise.all([1, 2, 3, 4].map((seed) => chat({ prompt: `Hello ${seed}`, maxTokens: 40, seed })))
      expect(answers.map(({ usage }) => usage.outputTokens)).toEqual([40, 40, 40, 40])
    })
  })
}

describe('vectors in this process', () => {
  it('have length 1, and the same text has the same', async () => {
    await using mw = createRuntime({ providers: { llama: { gpu: 'cpu' } } })
    const { embeddings, usage } = await mw.embed({ model: `llama/${file}`, input: ['a cat', 'a dog', 'a cat'] })
    const [cat = [], dog = [], again = []] = embeddings
    for (const vector of embeddings) expect(Math.hypot(...vector)).toBeCloseTo(1, 6)
    expect(again).toEqual(cat)
    expect(dog).not.toEqual(cat)
    expect(usage.inputTokens).toBeGreaterThan(3)
    const { embeddings: short } = await mw.embed({ model: `llama/${file}`, input: 'a cat', dimensions: 8 })
    expect(short[0]).toHaveLength(8)
    expect(Math.hypot(...(short[0] ?? []))).toBeCloseTo(1, 6)
  })

  it('scores are refused by a model that gives none', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu' } } })
    const error = await failure(mw.rerank({ model: `llama/${file}`, query: 'cat', documents: ['a', 'b'] }))
    expect(error.kind).toBe('unsupported')
  })
})

describe('what models in this process can’t do is said', () => {
  it.each([
    [
      { prompt: [{ type: 'image' as const, data: new Uint8Array([137, 80, 78, 71]), mediaType: 'image/png' }] },
      'unsupported',
      /text only/,
    ],
    [{ prompt: 'Hello', tools: [weather], output: shape }, 'unsupported', /at once/],
    [{ prompt: 'Hello', extra: { grammar: 'root ::= (' } }, 'invalid_request', /grammar/],
    [{ prompt: 'Hello', tools: [weather], toolChoice: { type: 'tool' as const, name: 'x' } }, 'invalid_request', /isn't among/],
    [
      { messages: [{ role: 'tool' as const, content: [{ type: 'tool_result' as const, id: 'c1', content: 'x' }] }] },
      'invalid_request',
      /no message made/,
    ],
  ])('%o', async (request, kind, words) => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu' } } })
    const error = await failure(mw.chat({ model: `llama/${file}`, ...request }))
    expect(error.kind).toBe(kind)
    expect(error.message).toMatch(words)
  })
})
