import { describe, expect, it } from 'vitest'
import type { TaskEvent } from '../../src/index.ts'
import { chunk, demo, head, runtime, sse } from '../tools/demo.ts'
import { failure } from '../tools/failure.ts'
import { serveBytes } from '../tools/server.ts'
import { asked, right, says } from './answers.ts'

describe('a task', () => {
  it('gives what fits the schema, and is listed', async () => {
    const server = await serveBytes(says([right]))
    const mw = runtime(demo(server.url))
    const made = await mw.infer(asked)
    expect(made).toMatchObject({ modelId: 'demo/m1', result: { counts: [2, 1] }, usage: { inputTokens: 10, outputTokens: 5 } })
    expect(mw.getTask(made.taskId)).toMatchObject({ state: 'succeeded', progress: 1, attempts: 1, result: { counts: [2, 1] } })
    expect(mw.listTasks({ state: 'succeeded' }).map(({ id }) => id)).toEqual([made.taskId])
    expect(mw.cancelTask(made.taskId)).toBe(false)
  })

  it('shows the model once what was wrong, and counts both calls', async () => {
    const server = await serveBytes(says(['{"counts":["two"]}', right]))
    const made = await runtime(demo(server.url)).infer(asked)
    expect(made.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
    const second = JSON.parse(server.requests[1]?.body.toString() ?? '')
    expect(second.messages).toHaveLength(3)
    expect(second.messages[1]).toEqual({ role: 'assistant', parts: [{ text: '{"counts":["two"]}' }] })
    expect(second.messages[2].parts[0].text).toContain('counts.0 must be integer')
  })

  it('that is wrong twice is an error of kind output with what had come', async () => {
    const server = await serveBytes(says(['no idea', '{"counts":1}']))
    const mw = runtime(demo(server.url))
    const error = await failure(mw.infer(asked))
    expect(error).toMatchObject({ kind: 'output', attempts: 2, partial: { text: '{"counts":1}' } })
    expect(server.requests).toHaveLength(2)
    expect(mw.listTasks()[0]).toMatchObject({ state: 'failed', attempts: 2, error: { kind: 'output' } })
  })

  it('whose stream is cut fails as a call would, and is not repaired', async () => {
    const server = await serveBytes((wire) => wire.write(head()) && wire.end(chunk(sse({ text: '{"cou' }))))
    const error = await failure(runtime(demo(server.url), { retry: false }).infer(asked))
    expect(['truncated', 'network']).toContain(error.kind)
    expect(server.requests).toHaveLength(1)
  })

  it('tells its states, its text, what has come of the result, and the result', async () => {
    const server = await serveBytes(says([right]))
    const stream = runtime(demo(server.url)).inferStream(asked)
    const events: TaskEvent[] = []
    for await (const event of stream) events.push(event)
    expect(events.flatMap((event) => (event.type === 'state' ? [event.state] : []))).toEqual(['queued', 'running', 'succeeded'])
    expect(events.flatMap((event) => (event.type === 'text' ? [event.delta] : [])).join('')).toBe(right)
    expect(events.some(({ type }) => type === 'partial')).toBe(true)
    expect(events.at(-1)).toEqual({ type: 'result', result: { counts: [2, 1] } })
    expect((await stream.result).taskId).toBe(stream.taskId)
  })

  it('whose loop is left is cancelled, and closes the connection', async () => {
    const server = await serveBytes(says([right], 5_000))
    const mw = runtime(demo(server.url))
    const stream = mw.inferStream(asked)
    for await (const event of stream) if (event.type === 'text') break
    expect((await failure(stream.result)).kind).toBe('cancelled')
    await server.closed
    expect(mw.getTask(stream.taskId)?.state).toBe('cancelled')
  })

  it('that runs too long is a timeout', async () => {
    const server = await serveBytes(says([right], 5_000))
    const error = await failure(runtime(demo(server.url)).infer({ ...asked, options: { timeout: 50 } }))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'total' })
  })

  it('with a wrong input is refused before anything is sent, naming the field', async () => {
    const mw = runtime(demo('http://127.0.0.1:9'))
    const wrong = await failure(mw.infer({ ...asked, task: 'highlight-detection', input: { duration: 'long', chat: [] } }))
    expect(wrong).toMatchObject({ kind: 'invalid_request' })
    expect(wrong.message).toContain('duration must be number')
    expect((await failure(mw.infer({ ...asked, task: 'custm' }))).message).toContain('did you mean "custom"?')
    expect(mw.listTasks()).toEqual([])
  })
})

describe('the queue', () => {
  it('with 200 tasks, half of them cancelled, leaves nothing behind', async () => {
    const server = await serveBytes(says([right]))
    const mw = runtime(demo(server.url))
    const streams = Array.from({ length: 200 }, () => mw.inferStream(asked))
    const cancelled = streams.filter((_, index) => index % 2 === 1 && mw.cancelTask(streams[index]?.taskId ?? ''))
    const settled = await Promise.allSettled(streams.map(({ result }) => result))
    expect(cancelled).toHaveLength(100)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(100)
    expect(mw.listTasks({ state: ['queued', 'running', 'repairing'] })).toEqual([])
    expect(mw.listTasks({ state: 'cancelled' })).toHaveLength(100)
    expect(server.requests.length).toBeLessThanOrEqual(104)
    expect((await mw.infer(asked)).result).toEqual({ counts: [2, 1] })
  })

  it('lets the more important go first, and refuses what is too much', async () => {
    const server = await serveBytes(says([right], 20))
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1, queue: 3 } })
    const order: string[] = []
    const start = (name: string, priority: 'low' | 'normal' | 'high') =>
      mw.infer({ ...asked, options: { priority } }).then(() => order.push(name))
    const all = [start('first', 'low'), start('low', 'low'), start('normal', 'normal'), start('high', 'high')]
    expect((await failure(mw.infer(asked))).kind).toBe('overloaded')
    await Promise.all(all)
    expect(order).toEqual(['first', 'high', 'normal', 'low'])
  })
})
