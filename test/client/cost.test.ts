import { describe, expect, it } from 'vitest'
import { createRuntime, type Exchange } from '../../src/index.ts'
import { demo, hello, protocols, runtime, streamed } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'

async function costOf(prices: string, sum: Record<string, number> | undefined): Promise<number | undefined> {
  const server = await serveBytes(
    (wire) =>
      void wire.end(
        streamed({ id: 'r1', model: 'm1' }, { text: 'a' }, ...(sum === undefined ? [] : [{ sum }]), { stop: 'done' }, '[END]'),
      ),
  )
  const manifest = demo(server.url, prices).replace(
    'outputTokens: $.out }',
    'outputTokens: $.out, cachedInputTokens: $.kept, cost: $.paid }',
  )
  return (await runtime(manifest).stream(hello).result).cost
}

describe('what a call cost', () => {
  it.each([
    ['all counts', '{ input: 3, output: 15 }', { in: 1_000, out: 200 }, 0.006],
    ['a cache at its own price', '{ input: 3, cachedInput: 0.3, output: 15 }', { in: 1_000, kept: 900, out: 200 }, 0.00357],
    ['a cache without one', '{ input: 3, output: 15 }', { in: 1_000, kept: 900, out: 200 }, 0.006],
    ['what the provider says, whatever the prices', '{ input: 3, output: 15 }', { in: 1_000, out: 200, paid: 0.5 }, 0.5],
    ['what the provider says, without prices', '{}', { in: 1_000, out: 200, paid: 0 }, 0],
    ['prices of nothing', '{ input: 0, output: 0 }', { in: 1_000, out: 200 }, 0],
  ])('by %s', async (_, prices, sum, expected) => {
    expect(await costOf(`prices: { '*': ${prices} }`, sum)).toBeCloseTo(expected, 10)
  })

  it.each([
    ['no prices', '{}', { in: 1_000, out: 200 }],
    ['no price of the output', '{ input: 3 }', { in: 1_000, out: 200 }],
    ['no price of the input', '{ output: 3 }', { in: 1_000, out: 200 }],
    ['no counts', '{ input: 3, output: 15 }', undefined],
  ])('is not guessed with %s', async (_, prices, sum) => {
    expect(await costOf(`prices: { '*': ${prices} }`, sum)).toBeUndefined()
  })

  it('can have its prices from a file over a provider of the package, by model, on each wire', () => {
    const prices = 'prices: { cheap-*: { input: 1, output: 2 }, "*": { input: 10, output: 20 } }'
    const mw = createRuntime({ env: {}, protocols: [protocols(`id: openai\nextends: openai\n${prices}\n`)] })
    const replayed = (model: string, wire: { wire?: string }, body: object): number | undefined => {
      const response = { status: 200, headers: { 'content-type': 'application/json' }, bodyText: JSON.stringify(body) }
      const exchange: Exchange = { request: { body: { model, stream: false } }, response }
      return mw.replay(exchange, { provider: 'openai', ...wire }).result.cost
    }
    const chat = {
      choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1_000_000, completion_tokens: 500_000 },
    }
    const responses = {
      object: 'response',
      id: 'r1',
      status: 'completed',
      output: [],
      usage: { input_tokens: 1_000_000, output_tokens: 500_000 },
    }
    expect(replayed('cheap-1', { wire: 'chat' }, chat)).toBe(2)
    expect(replayed('dear-1', { wire: 'chat' }, chat)).toBe(20)
    expect(replayed('cheap-1', {}, responses)).toBe(2)
  })
})
