import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTasks } from '../../src/client/tasks.ts'
import type { InferStream, Runtime, TaskEvent, TaskRecord, TaskState } from '../../src/index.ts'
import { ModelwireError } from '../../src/index.ts'
import { demo, protocols, runtime } from '../tools/demo.ts'
import { failure } from '../tools/failure.ts'
import { serveBytes } from '../tools/server.ts'
import { folder } from '../cli/run.ts'
import { asked, hangsAfter, right, says, wrong } from './answers.ts'

/** Watches a task until it has this state and the model has begun to write in it; what comes later is seen too. */
function watched(stream: InferStream, until: TaskState): { there: Promise<void>; events: TaskEvent[]; error: Promise<unknown> } {
  const events: TaskEvent[] = []
  const there = Promise.withResolvers<void>()
  const watch = async (): Promise<unknown> => {
    let state: TaskState | undefined
    try {
      for await (const event of stream) {
        events.push(event)
        if (event.type === 'state') state = event.state
        if (state === until && (event.type === 'text' || until === 'queued')) there.resolve()
      }
    } catch (error) {
      return error
    }
    return undefined
  }
  return { there: there.promise, events, error: watch() }
}

const states = (events: TaskEvent[]) => events.flatMap((event) => (event.type === 'state' ? [event.state] : []))

/** What a cancelled task leaves: its error everywhere, and a place for the next one. */
async function expectCancelled(mw: Runtime, stream: InferStream, watch: ReturnType<typeof watched>, attempts: number) {
  expect(await watch.error).toMatchObject({ kind: 'cancelled', message: 'The task was cancelled.' })
  expect(await failure(stream.result)).toBe(await watch.error)
  expect(mw.getTask(stream.taskId)).toMatchObject({ state: 'cancelled', attempts, error: { kind: 'cancelled' } })
  expect(mw.cancelTask(stream.taskId)).toBe(false)
  expect(mw.metrics().tasks).toMatchObject({ waiting: 0, active: 0, queued: 0, running: 0, repairing: 0 })
}

describe('a task is cancelled', () => {
  it('while it is queued: nothing is sent for it, and those behind it have its turn', async () => {
    const server = await serveBytes(says([right], 100))
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1 } })
    const first = mw.infer(asked)
    const stream = mw.inferStream(asked)
    const watch = watched(stream, 'queued')
    const behind = mw.infer(asked)
    await watch.there
    expect(mw.getTask(stream.taskId)?.state).toBe('queued')
    expect(mw.cancelTask(stream.taskId)).toBe(true)
    expect(mw.cancelTask(stream.taskId)).toBe(false)
    await watch.error
    expect(mw.getTask(stream.taskId)?.startedAt).toBeUndefined()
    expect((await Promise.all([first, behind])).map(({ result }) => result)).toEqual([{ counts: [2, 1] }, { counts: [2, 1] }])
    await expectCancelled(mw, stream, watch, 0)
    expect(states(watch.events)).toEqual(['queued', 'cancelled'])
    expect(server.requests).toHaveLength(2)
  })

  it('while it runs: its connection closes, and the next one runs', async () => {
    const server = await serveBytes((wire, request, count) => (count === 1 ? hangsAfter([]) : says([right]))(wire, request, count))
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1 } })
    const stream = mw.inferStream(asked)
    const watch = watched(stream, 'running')
    await watch.there
    expect(mw.getTask(stream.taskId)?.state).toBe('running')
    expect(mw.cancelTask(stream.taskId)).toBe(true)
    await server.closed
    await expectCancelled(mw, stream, watch, 1)
    expect(states(watch.events)).toEqual(['queued', 'running', 'cancelled'])
    expect((await mw.infer(asked)).result).toEqual({ counts: [2, 1] })
  })

  it('while it is repaired: its connection closes, and no third call is made', async () => {
    const server = await serveBytes(hangsAfter([wrong]))
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1 } })
    const stream = mw.inferStream(asked)
    const watch = watched(stream, 'repairing')
    await watch.there
    expect(mw.getTask(stream.taskId)?.state).toBe('repairing')
    expect(mw.cancelTask(stream.taskId)).toBe(true)
    await server.closed
    await expectCancelled(mw, stream, watch, 2)
    expect(states(watch.events)).toEqual(['queued', 'running', 'repairing', 'cancelled'])
    expect(server.requests).toHaveLength(2)
  })

  it('by its own signal, whose reason is the cause', async () => {
    const server = await serveBytes(hangsAfter([]))
    const mw = runtime(demo(server.url))
    const leave = new AbortController()
    const stream = mw.inferStream({ ...asked, options: { signal: leave.signal } })
    const watch = watched(stream, 'running')
    await watch.there
    const why = new Error('enough')
    leave.abort(why)
    expect(await watch.error).toMatchObject({ kind: 'cancelled', cause: why })
    await server.closed
    const late = await failure(mw.infer({ ...asked, options: { signal: leave.signal } }))
    expect(late).toMatchObject({ kind: 'cancelled', cause: why })
    expect(server.requests).toHaveLength(1)
  })
})

describe('close', () => {
  afterEach(() => vi.useRealTimers())

  it('waits until tasks that run and wait have ended, and what is kept says so', async () => {
    const server = await serveBytes(hangsAfter([]))
    const kept = folder()
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1, folder: kept } })
    const running = mw.inferStream(asked)
    const waiting = mw.inferStream(asked)
    const order: string[] = []
    const ends = [running, waiting].map(({ result }) => failure(result).then((error) => order.push(error.kind)))
    await watched(running, 'running').there
    await mw.close().then(() => order.push('closed'))
    await Promise.all(ends)
    expect(order).toEqual(['cancelled', 'cancelled', 'closed'])
    const records = readdirSync(kept).map((name) => JSON.parse(readFileSync(join(kept, name), 'utf8')) as TaskRecord)
    expect(records.map(({ state, error }) => [state, error?.message])).toEqual([
      ['cancelled', 'The runtime was closed.'],
      ['cancelled', 'The runtime was closed.'],
    ])
    expect(await failure(mw.infer(asked))).toMatchObject({ kind: 'cancelled', message: 'The runtime is closed.' })
    await mw.close()
  })

  it('doesn’t wait for ever for one whose model hears nothing', async () => {
    const deaf = Promise.withResolvers<never>()
    const room = createTasks({ protocols: protocols() }, {}, () => ({
      async *[Symbol.asyncIterator]() {
        yield { type: 'text', delta: '{' } as const
        await deaf.promise
      },
      result: deaf.promise,
    }))
    const stream = room.tasks.inferStream(asked)
    await watched(stream, 'running').there
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let closed = false
    const closing = room.close().then(() => (closed = true))
    await vi.advanceTimersByTimeAsync(4_000)
    expect(closed).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    await closing
    expect(room.tasks.getTask(stream.taskId)?.state).toBe('running')
    deaf.reject(new ModelwireError('network', 'gone')) // what the closing of the transports does
    await failure(stream.result)
    expect(room.tasks.getTask(stream.taskId)?.state).toBe('cancelled')
    expect(vi.getTimerCount()).toBe(0)
  })
})
