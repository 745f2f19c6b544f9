import { describe, expect, it } from 'vitest'
import type { ModelwireError, TaskEvent } from '../../src/index.ts'
import { chunk, demo, head, runtime, sse } from '../tools/demo.ts'
import { failure } from '../tools/failure.ts'
import { serveBytes } from '../tools/server.ts'
import { asked, end, hangsAfter, right, says, wrong } from './answers.ts'

async function all(stream: AsyncIterable<TaskEvent>): Promise<TaskEvent[]> {
  const events: TaskEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

const states = (events: TaskEvent[]) => events.flatMap((event) => (event.type === 'state' ? [event.state] : []))

/** An answer of so many texts, each a piece of its own on the wire. */
function long(texts: number): { text: string; pieces: string[] } {
  const text = JSON.stringify({ counts: [1], words: Array.from({ length: texts }, (_, index) => `word ${index}`) })
  return { text, pieces: text.match(/.{1,12}/gs) ?? [] }
}

describe('a task that nobody watches', () => {
  it('keeps a few events and the whole text, however much the model says', async () => {
    const { text, pieces } = long(20_000)
    const server = await serveBytes((wire) => {
      wire.write(head())
      for (let at = 0; at < pieces.length; at += 500)
        wire.write(chunk(sse(...pieces.slice(at, at + 500).map((piece) => ({ text: piece })))))
      wire.write(end())
    })
    const stream = runtime(demo(server.url)).inferStream(asked)
    await stream.result
    const events = await all(stream)
    expect(events.length).toBeLessThanOrEqual(10)
    expect(states(events)).toEqual(['queued', 'running', 'succeeded'])
    expect(events.filter(({ type }) => type === 'text')).toEqual([{ type: 'text', delta: text }])
    expect(events.filter(({ type }) => type === 'partial')).toHaveLength(1)
    expect(events.at(-1)).toEqual({ type: 'result', result: JSON.parse(text) as unknown })
  })

  it('keeps the texts of its two attempts apart', async () => {
    const server = await serveBytes(says([wrong, right]))
    const stream = runtime(demo(server.url)).inferStream(asked)
    await stream.result
    const events = await all(stream)
    const told = events.flatMap((event) => (event.type === 'state' ? [event.state] : event.type === 'text' ? [event.delta] : []))
    expect(told).toEqual(['queued', 'running', wrong, 'repairing', right, 'succeeded'])
  })

  it('is ended when the model never comes to an end', async () => {
    const piece = chunk(sse({ text: 'x'.repeat(1_048_576) }))
    const server = await serveBytes(async (wire) => {
      wire.write(head())
      for (let sent = 0; sent < 32 && !wire.gone; sent++) {
        wire.write(piece)
        await wire.wait(5)
      }
    })
    const error = await failure(runtime(demo(server.url)).infer(asked))
    expect(error).toMatchObject({ kind: 'output', message: expect.stringContaining('longer than') })
    await server.closed
    expect(server.requests).toHaveLength(1)
  }, 20_000)

  it('tells who comes late, once, why it failed', async () => {
    const server = await serveBytes(says(['no', 'no']))
    const stream = runtime(demo(server.url)).inferStream(asked)
    await failure(stream.result)
    const iterator = stream[Symbol.asyncIterator]()
    const seen: string[] = []
    const error = await failure(
      (async () => {
        for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) seen.push(next.value.type)
      })(),
    )
    expect(error.kind).toBe('output')
    expect(seen.at(-1)).toBe('state')
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })
})

describe('a task that is watched', () => {
  it('answers several next() at once, in their order, and all of them at its end', async () => {
    const server = await serveBytes(says([right]))
    const iterator = runtime(demo(server.url)).inferStream(asked)[Symbol.asyncIterator]()
    const answers = await Promise.all(Array.from({ length: 40 }, () => iterator.next()))
    const events = answers.flatMap(({ done, value }) => (done === true ? [] : [value as TaskEvent]))
    expect(states(events)).toEqual(['queued', 'running', 'succeeded'])
    expect(events.flatMap((event) => (event.type === 'text' ? [event.delta] : [])).join('')).toBe(right)
    expect(events.at(-1)?.type).toBe('result')
    expect(answers.slice(events.length).every(({ done }) => done === true)).toBe(true)
    expect(answers.length).toBeGreaterThan(events.length)
  })

  it('rejects one of several next() when it fails, and ends the others', async () => {
    const server = await serveBytes(says(['no', 'no']))
    const iterator = runtime(demo(server.url)).inferStream(asked)[Symbol.asyncIterator]()
    const settled = await Promise.allSettled(Array.from({ length: 40 }, () => iterator.next()))
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    expect(settled.at(-1)).toEqual({ status: 'fulfilled', value: { done: true, value: undefined } })
  })

  it('can be iterated once, as the stream of a chat', async () => {
    const server = await serveBytes(says([right]))
    const mw = runtime(demo(server.url))
    const stream = mw.inferStream(asked)
    await all(stream)
    const again = await failure(all(stream))
    const chat = mw.stream({ model: 'demo/m1', prompt: 'x' })
    for await (const event of chat) expect(event).toBeDefined()
    const chatAgain = await failure(
      (async () => {
        for await (const event of chat) expect(event).toBeUndefined()
      })(),
    )
    expect([again.kind, again.message, again.hint]).toEqual([chatAgain.kind, chatAgain.message, chatAgain.hint])
    expect(again).toMatchObject({ kind: 'invalid_request', message: 'a stream can be iterated once' })
    expect((await stream.result).result).toEqual({ counts: [2, 1] })
  })

  it('refuses a second loop while the first is under way, and goes on', async () => {
    const server = await serveBytes(says([right], 50))
    const stream = runtime(demo(server.url)).inferStream(asked)
    const events: TaskEvent[] = []
    const refused: Promise<ModelwireError>[] = []
    for await (const event of stream) {
      events.push(event)
      refused.push(failure(all(stream)))
    }
    expect(new Set((await Promise.all(refused)).map(({ message }) => message))).toEqual(new Set(['a stream can be iterated once']))
    expect(events.at(-1)?.type).toBe('result')
  })

  it('answers a next() that waits when its loop is left, and is cancelled', async () => {
    const server = await serveBytes(hangsAfter([]))
    const mw = runtime(demo(server.url))
    const stream = mw.inferStream(asked)
    const iterator = stream[Symbol.asyncIterator]()
    for (let next = await iterator.next(); next.value?.type !== 'partial'; next = await iterator.next()) {
      expect(next.done).not.toBe(true)
    }
    const waiting = iterator.next()
    await iterator.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect((await failure(stream.result)).kind).toBe('cancelled')
    await server.closed
    expect(mw.getTask(stream.taskId)?.state).toBe('cancelled')
  })
})
