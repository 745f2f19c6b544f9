import { mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { createRuntime, type LoadedModel, ModelwireError, type ProviderOptions, type Runtime } from '../../src/index.ts'
import { randomModel } from '../tools/gguf.ts'
import { failure } from '../tools/failure.ts'

const folder = mkdtempSync(join(tmpdir(), 'modelwire-residents-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function written(name: string, bytes: Uint8Array): string {
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return file
}
const [one, two, three] = [1, 2, 3].map((seed) => `llama/${written(`${seed}.gguf`, randomModel(seed))}`) as [string, string, string]

function runtime(llama: ProviderOptions = {}): Runtime {
  return createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', contextLength: 512, ...llama } } })
}

const loaded = async (mw: Runtime): Promise<LoadedModel[]> => (await mw.health()).engines.llama.models
const say = async (mw: Runtime, model: string, maxTokens = 5): Promise<number | undefined> =>
  (await mw.chat({ model, prompt: 'Hello', maxTokens })).usage.outputTokens

describe('models in memory', () => {
  it('are loaded by the first call, once for all that wait, and stay side by side', async () => {
    await using mw = runtime()
    expect(await Promise.all([say(mw, one), say(mw, one), say(mw, two), say(mw, one)])).toEqual([5, 5, 5, 5])
    expect((await loaded(mw)).map(({ state, active }) => [state, active])).toEqual([
      ['ready', 0],
      ['ready', 0],
    ])
  })

  it('are loaded and unloaded by wish; a call loads them again', async () => {
    await using mw = runtime()
    await mw.loadModel(one, { options: { contextLength: 256, sequences: 2 } })
    expect(await loaded(mw)).toMatchObject([{ state: 'ready', contextLength: 256 }])
    expect((await mw.unloadModel(one)).status).toBe('unloaded')
    expect(await loaded(mw)).toEqual([])
    expect((await mw.unloadModel(one)).status).toBeUndefined()
    expect(await say(mw, one)).toBe(5)
  })

  it('unloading waits for calls in flight, which finish', async () => {
    await using mw = runtime()
    const stream = mw.stream({ model: one, prompt: 'Hello', maxTokens: 200 })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    const unloading = mw.unloadModel(one)
    let gone = false
    void unloading.then(() => (gone = true))
    let finish: unknown
    for (let next = await events.next(); next.done !== true; next = await events.next())
      if (next.value.type === 'finish') finish = next.value.reason
    expect(finish).toBe('length')
    await unloading
    expect(gone).toBe(true)
    expect(await loaded(mw)).toEqual([])
  })

  it('are swapped without a restart: calls in flight finish on the old one, new ones get the new one', async () => {
    await using mw = runtime()
    const stream = mw.stream({ model: one, prompt: 'Hello', maxTokens: 300 })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    await mw.loadModel(one, { options: { contextLength: 256 } })
    expect((await failure(mw.chat({ model: one, prompt: 'word '.repeat(300) }))).message).toContain('room for 256')
    let finished = false
    for (let next = await events.next(); next.done !== true; next = await events.next()) finished ||= next.value.type === 'finish'
    expect(finished).toBe(true)
    await wait(50)
    expect(await loaded(mw)).toMatchObject([{ contextLength: 256, state: 'ready' }])
  })

  it('a swap that fails leaves the old one where it was', async () => {
    await using mw = runtime()
    await mw.loadModel(one)
    expect((await failure(mw.loadModel(one, { options: { contextLength: 9_000_000 } }))).message).toContain('trained for')
    expect(await loaded(mw)).toMatchObject([{ state: 'ready', contextLength: 512 }])
    expect(await say(mw, one)).toBe(5)
  })

  it('a file that was replaced is the model of the next call', async () => {
    await using mw = runtime()
    const file = written('replaced.gguf', randomModel(7))
    const request = { model: `llama/${file}`, prompt: 'Hello', maxTokens: 30, temperature: 0, seed: 1 }
    const before = (await mw.chat(request)).text
    renameSync(written('new.gguf', randomModel(8)), file)
    const after = (await mw.chat(request)).text
    expect(after).not.toBe(before)
    expect(await loaded(mw)).toHaveLength(1)
  })

  it('what one was loaded with holds for the file that takes its place, until it is unloaded', async () => {
    await using mw = runtime()
    const file = written('wished.gguf', randomModel(7))
    await mw.loadModel(`llama/${file}`, { options: { contextLength: 256 } })
    renameSync(written('new.gguf', randomModel(8)), file)
    await say(mw, `llama/${file}`)
    expect((await loaded(mw)).at(0)).toMatchObject({ state: 'ready', contextLength: 256 })
    await mw.unloadModel(`llama/${file}`)
    await failure(mw.loadModel(`llama/${file}`, { options: { contextLength: 256, memory: 1 } }))
    await say(mw, `llama/${file}`)
    expect(await loaded(mw)).toMatchObject([{ contextLength: 512 }])
  })

  it('leave when nobody has called them for a while', async () => {
    await using mw = runtime({ idle: 60 })
    await say(mw, one)
    expect(await loaded(mw)).toHaveLength(1)
    await wait(400)
    expect(await loaded(mw)).toEqual([])
    await mw.loadModel(two)
    await wait(200)
    expect(await loaded(mw)).toHaveLength(1) // what was loaded by wish stays
  })

  it('the one that was idle longest leaves when memory is needed', async () => {
    await using probe = runtime()
    await say(probe, one)
    const [{ ramBytes = 0 } = {}] = await loaded(probe)
    await using mw = runtime({ memory: Math.round(ramBytes * 2.6) })
    await say(mw, one)
    await say(mw, two)
    await say(mw, one)
    await say(mw, three)
    expect((await loaded(mw)).map(({ id }) => `llama/${id}`).toSorted()).toEqual([one, three].toSorted())
  })

  it('one that doesn’t fit is refused before it is loaded, with what is needed, what is free and what would fit', async () => {
    await using mw = runtime({ memory: 30_000_000, contextLength: 8192, sequences: 8 })
    const error = await failure(say(mw, one))
    expect(error.kind).toBe('configuration')
    expect(error.message).toMatch(/needs \d+ MB of memory for 8 conversations of 8192 tokens, and \d+ MB are free/)
    expect(error.hint).toMatch(/it would fit with sequences: 1/)
    expect(await loaded(mw)).toEqual([])
  })

  it.each([
    ['that isn’t there', () => join(folder, 'nowhere.gguf'), 'not_found'],
    ['of garbage', () => written('garbage.gguf', Buffer.from('no model at all '.repeat(100))), 'configuration'],
    [
      'that was cut',
      () => {
        const file = written('cut.gguf', randomModel(9))
        truncateSync(file, 300_000)
        return file
      },
      'configuration',
    ],
  ])('a file %s is an error, and does no harm', async (_, make, kind) => {
    await using mw = runtime()
    const error = await failure(say(mw, `llama/${make()}`))
    expect(error.kind).toBe(kind)
    expect(error.hint).toBeTypeOf('string')
    expect(await loaded(mw)).toEqual([])
    expect(await say(mw, one)).toBe(5)
  })

  it('a load that nobody waits for any more is given up', async () => {
    await using mw = runtime()
    const leave = new AbortController()
    const call = failure(mw.chat({ model: one, prompt: 'Hello', signal: leave.signal }))
    leave.abort()
    expect((await call).kind).toBe('cancelled')
    await expect.poll(() => loaded(mw), { timeout: 10_000 }).toEqual([])
    expect(await say(mw, one)).toBe(5)
  })

  it('closing the runtime in the middle of an answer and of a load ends both', async () => {
    const mw = runtime()
    const leave = new AbortController()
    const stream = mw.stream({ model: one, prompt: 'Hello', maxTokens: 400, signal: leave.signal })
    const events = stream[Symbol.asyncIterator]()
    await events.next()
    const loading = mw.loadModel(two).then(
      () => 'loaded',
      (error: unknown) => error,
    )
    leave.abort()
    await mw.close()
    expect(
      await failure(
        events
          .next()
          .then(() => events.next())
          .then(() => events.next()),
      ),
    ).toMatchObject({ kind: 'cancelled' })
    expect(['loaded', expect.any(ModelwireError)]).toContainEqual(await loading)
    expect((await failure(say(mw, one))).kind).toBe('cancelled')
  })
})
