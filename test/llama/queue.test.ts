import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { createRuntime, ModelwireError } from '../../src/index.ts'
import { randomModel } from '../tools/gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'modelwire-queue-'))
const file = join(folder, 'random.gguf')
writeFileSync(file, randomModel(5))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const model = `llama/${file}`

describe('calls wait for the sequences of a model', () => {
  it('of 200 calls, half of them cancelled, nothing is left behind', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', contextLength: 512 } } })
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const leave = new AbortController()
        const cancelled = index % 2 === 1
        // Some leave before they began, some while they wait, some while they are written.
        if (cancelled) void wait((index * 37) % 900).then(() => leave.abort(new Error('left')))
        try {
          const { usage } = await mw.chat({ model, prompt: `Call ${index}`, maxTokens: 40, seed: index, signal: leave.signal })
          return usage.outputTokens
        } catch (error) {
          return error instanceof ModelwireError ? error.kind : error
        }
      }),
    )
    expect(outcomes.filter((outcome, index) => index % 2 === 0 && outcome !== 40)).toEqual([])
    expect(outcomes.filter((outcome) => outcome !== 40 && outcome !== 'cancelled')).toEqual([])
    expect(outcomes.filter((outcome) => outcome === 'cancelled').length).toBeGreaterThan(20)
    const { engines, activeCalls } = await mw.health()
    expect(activeCalls).toBe(0)
    expect(engines.llama.models).toMatchObject([{ state: 'ready', active: 0, waiting: 0 }])
    expect((await mw.chat({ model, prompt: 'And now?', maxTokens: 5 })).usage.outputTokens).toBe(5)
  }, 60_000)

  it('first come, first served', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', contextLength: 512, sequences: 1 } } })
    await mw.loadModel(model)
    const done: number[] = []
    await Promise.all(
      [1, 2, 3, 4, 5, 6].map(async (number) => {
        await wait(number * 30) // finding the file takes a moment, which differs from call to call
        await mw.chat({ model, prompt: `Call ${number}`, maxTokens: 200 })
        done.push(number)
      }),
    )
    expect(done).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('one more than may wait is refused at once', async () => {
    await using mw = createRuntime({
      retry: false,
      providers: { llama: { gpu: 'cpu', contextLength: 512, sequences: 1, queue: 2 } },
    })
    await mw.loadModel(model, { options: { queue: 2, sequences: 1 } })
    const calls = [1, 2, 3, 4].map((number) =>
      mw.chat({ model, prompt: `Call ${number}`, maxTokens: 400 }).then(
        () => 'done',
        (error: unknown) => (error instanceof ModelwireError ? error.kind : error),
      ),
    )
    expect((await Promise.all(calls)).map(String).toSorted()).toEqual(['done', 'done', 'done', 'overloaded'])
  })

  it('conversations that take turns are each read on from where they stopped', async () => {
    await using mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', contextLength: 512, sequences: 4 } } })
    const talks = ['rivers', 'mountains', 'deserts', 'islands'].map(
      (topic) =>
        [{ role: 'user' as const, content: `Let us talk about ${topic} for a while, slowly and in peace` }] as {
          role: 'user' | 'assistant'
          content: string
        }[],
    )
    const cached: number[] = []
    for (let turn = 0; turn < 3; turn++) {
      for (const talk of talks) {
        const { text, usage } = await mw.chat({ model, messages: talk, maxTokens: 6 })
        // the last token of a prompt is always read again, and an answer's last one was never read
        if (turn > 0) cached.push((usage.cachedInputTokens ?? 0) / (usage.inputTokens ?? 1))
        talk.push({ role: 'assistant', content: text }, { role: 'user', content: 'Go on' })
      }
    }
    expect(cached).toHaveLength(8)
    expect(Math.min(...cached)).toBeGreaterThan(0.5)
  })
})
