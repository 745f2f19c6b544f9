import { describe, expect, it } from 'vitest'
import { createQueue } from '../../src/tasks/queue.ts'
import { demo, runtime } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'
import { asked, right, says } from './answers.ts'

const { signal } = new AbortController()

/** Lets everybody through, one at a time, and says in which order. */
async function drained(queue: ReturnType<typeof createQueue>, line: [name: string, priority: number][]): Promise<string[]> {
  const order: string[] = []
  const first = await queue.enter(0, signal)
  const all = line.map(async ([name, priority]) => {
    const leave = await queue.enter(priority, signal)
    order.push(name)
    leave()
  })
  first()
  await Promise.all(all)
  return order
}

describe('who waits in the queue', () => {
  it('is overtaken by a thousand who are a step more important, and by no more', async () => {
    const more = Array.from({ length: 3_000 }, (_, index): [string, number] => [`high ${index}`, 1])
    const order = await drained(createQueue(1, 10_000), [['normal', 0], ...more])
    expect(order).toHaveLength(3_001)
    expect(order.indexOf('normal')).toBe(999)
    expect(order.filter((name) => name !== 'normal')).toEqual(more.map(([name]) => name))
  })

  it('for long enough goes before the most important, low as it is', async () => {
    const more = Array.from({ length: 2_500 }, (_, index): [string, number] => [`high ${index}`, 1])
    const order = await drained(createQueue(1, 10_000), [['low', -1], ...more])
    expect(order.indexOf('low')).toBe(1_999)
  })

  it('in equal priority stays in its order', async () => {
    const names = Array.from({ length: 50 }, (_, index): [string, number] => [`${index}`, 0])
    expect(await drained(createQueue(1, 50), names)).toEqual(names.map(([name]) => name))
  })

  it('and leaves it makes room for one more, and holds nobody back', async () => {
    const queue = createQueue(1, 2)
    const leave = await queue.enter(0, signal)
    const gone = new AbortController()
    const waiting = [queue.enter(0, gone.signal), queue.enter(0, signal)]
    expect(() => queue.expectRoom()).toThrow('no more are taken')
    await expect(queue.enter(0, signal)).rejects.toMatchObject({ kind: 'overloaded' })
    gone.abort()
    await expect(waiting[0]).rejects.toMatchObject({ kind: 'cancelled' })
    queue.expectRoom()
    expect([queue.running, queue.waiting]).toEqual([1, 1])
    leave()
    leave() // twice ends one turn
    const next = await waiting[1]
    expect([queue.running, queue.waiting]).toEqual([1, 0])
    next?.()
    expect([queue.running, queue.waiting]).toEqual([0, 0])
  })

  it('is a task like any: a thousandth of a step is worth one place', async () => {
    const server = await serveBytes(says([right], 20))
    const mw = runtime(demo(server.url), { tasks: { concurrency: 1 } })
    const order: string[] = []
    const start = (name: string, priority: number) => mw.infer({ ...asked, options: { priority } }).then(() => order.push(name))
    const names = ['one', 'two', 'three', 'four', 'five']
    await Promise.all([start('first', 0), start('patient', 0), ...names.map((name) => start(name, 0.003))])
    expect(order).toEqual(['first', 'one', 'two', 'patient', 'three', 'four', 'five'])
  })
})
