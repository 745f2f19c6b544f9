import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRuntime, type TaskRecord } from '../../src/index.ts'
import { createRecords } from '../../src/tasks/records.ts'
import { folder } from '../cli/run.ts'
import { chunk, demo, head, runtime, sse } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'
import { asked, end, right, says } from './answers.ts'

const id = (number: number): string => `task-00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

function record(number: number, more: Partial<TaskRecord> = {}): TaskRecord {
  const base = { task: 'custom', modelId: 'demo/m1', progress: 1, priority: 0, attempts: 1 }
  return { id: id(number), state: 'succeeded', createdAt: number, endedAt: number, result: { number }, ...base, ...more }
}

const numbers = (records: TaskRecord[]) => records.map(({ id: name }) => Number(name.slice(-12)))
const million = 1_048_576

describe('the list of tasks', () => {
  it('holds the last 1,000 that ended, in memory and on disk', () => {
    const kept = folder()
    const records = createRecords(kept)
    for (let number = 1; number <= 1_010; number++) records.put(record(number))
    const last = Array.from({ length: 1_000 }, (_, index) => index + 11)
    expect(numbers(records.list())).toEqual(last)
    expect(records.get(id(10))).toBeUndefined()
    expect(records.counts()).toMatchObject({ succeeded: 1_000, running: 0 })
    expect(readdirSync(kept).toSorted()).toEqual(last.map((number) => `${id(number)}.json`).toSorted())
    expect(numbers(createRecords(kept).list())).toEqual(last)
  })

  it('lets go the one that ended first, not the one that began first', () => {
    const records = createRecords(undefined)
    records.put(record(1, { state: 'running' }))
    for (let number = 2; number <= 1_001; number++) records.put(record(number))
    records.put(record(1, { endedAt: 5_000 }))
    expect(records.get(id(1))).toMatchObject({ state: 'succeeded', endedAt: 5_000 })
    expect(records.get(id(2))).toBeUndefined()
    expect(records.list()).toHaveLength(1_000)
  })

  it('never lets go one that waits or runs', () => {
    const records = createRecords(undefined)
    for (const [index, state] of (['queued', 'running', 'repairing'] as const).entries()) records.put(record(index + 1, { state }))
    for (let number = 4; number <= 1_500; number++) records.put(record(number))
    expect(records.counts()).toEqual({ queued: 1, running: 1, repairing: 1, succeeded: 1_000, failed: 0, cancelled: 0 })
    expect(numbers(records.list({ state: ['queued', 'running', 'repairing'] }))).toEqual([1, 2, 3])
  })

  it('finds too many of an earlier process, and keeps the last that ended', () => {
    const kept = folder()
    for (let number = 1; number <= 1_200; number++)
      writeFileSync(join(kept, `${id(number)}.json`), JSON.stringify(record(number, { endedAt: 2_000 - number })))
    expect(numbers(createRecords(kept).list())).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
    expect(readdirSync(kept)).toHaveLength(1_000)
  })

  it('keeps no result of more than a million characters, and says that it ended well', async () => {
    const text = JSON.stringify({ counts: [1], more: 'x'.repeat(million) })
    const server = await serveBytes((wire) => {
      wire.write(head())
      wire.write(chunk(sse({ text })))
      wire.write(end())
    })
    const kept = folder()
    const mw = runtime(demo(server.url), { tasks: { folder: kept } })
    const done = await mw.infer(asked)
    expect(done.result).toEqual(JSON.parse(text))
    expect(mw.getTask(done.taskId)).toMatchObject({ state: 'succeeded', progress: 1 })
    expect(mw.getTask(done.taskId)).not.toHaveProperty('result')
    expect(readFileSync(join(kept, `${done.taskId}.json`)).length).toBeLessThan(1_000)
  })

  it('keeps 16 million characters of results, the newest ones', () => {
    const kept = folder()
    const records = createRecords(kept)
    const large = 'x'.repeat(million - 100)
    for (let number = 1; number <= 20; number++) records.put(record(number, { result: large }))
    const holding = (list: TaskRecord[]) => numbers(list.filter((one) => 'result' in one))
    const newest = Array.from({ length: 16 }, (_, index) => index + 5)
    expect(numbers(records.list())).toHaveLength(20)
    expect(holding(records.list())).toEqual(newest)
    const again = createRecords(kept)
    expect(holding(again.list())).toEqual(newest)
    again.put(record(20, { result: 'small' })) // what was counted for it is given back
    again.put(record(21, { result: large }))
    expect(holding(again.list())).toEqual([...newest, 21])
  })

  it('can’t be changed by who looks at it, and tells only what was asked for', async () => {
    const server = await serveBytes(says([right]))
    const mw = runtime(demo(server.url))
    const { taskId } = await mw.infer(asked)
    for (const seen of [mw.getTask(taskId), mw.listTasks()[0]]) if (seen !== undefined) seen.state = 'failed'
    expect(mw.getTask(taskId)?.state).toBe('succeeded')
    expect(mw.listTasks({ task: 'captions' })).toEqual([])
    expect(mw.listTasks({ modelId: 'demo/m2' })).toEqual([])
    expect(mw.listTasks({ state: ['failed', 'cancelled'] })).toEqual([])
    expect(mw.listTasks({ state: 'succeeded', task: 'custom', modelId: 'demo/m1' })).toHaveLength(1)
  })

  it('passes over files that hold no task, and names a folder that can’t be made', async () => {
    const kept = folder({ 'readme.txt': 'x', [`${id(1)}.json`]: JSON.stringify(record(1)), [`${id(2)}.json`]: '[]' })
    await using mw = createRuntime({ tasks: { folder: kept } })
    expect(numbers(mw.listTasks())).toEqual([1])
    expect(readdirSync(kept)).toHaveLength(3)
    await using none = createRuntime({ tasks: { folder: join(kept, 'readme.txt') } })
    expect(() => none.listTasks()).toThrow(/the folder of tasks .* can't be made/)
  })
})
