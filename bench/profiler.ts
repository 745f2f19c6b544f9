import { Session } from 'node:inspector/promises'
import { countSamples } from './places.ts'
import type { Place } from './places.ts'

/** CPU microseconds of one piece of work, by where they went. */
export type Spent = Partial<Record<Place, number>>

const intervalMicros = 100

/**
 * Does the work, which is so many pieces, twice: bare, for what it costs, and under V8's sampling profiler, which costs time
 * itself, for where that goes.
 */
export async function profile(pieces: number, work: () => Promise<void>): Promise<Spent> {
  const before = { process: process.cpuUsage(), thread: process.threadCpuUsage() }
  await work()
  const thread = process.threadCpuUsage(before.thread)
  const whole = process.cpuUsage(before.process)
  const samples = await sample(work)
  return share(samples, {
    kernel: whole.system / pieces,
    helpers: Math.max(0, whole.user - thread.user) / pieces,
    thread: thread.user / pieces,
  })
}

async function sample(work: () => Promise<void>): Promise<Partial<Record<Place, number>>> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: intervalMicros })
    await session.post('Profiler.start')
    await work()
    const { profile: taken } = await session.post('Profiler.stop')
    return countSamples(taken.nodes)
  } finally {
    session.disconnect()
  }
}

/** Shares the time of the main thread out by its samples. Those that fell into the kernel count as native, so its part is taken off there. */
function share(samples: Partial<Record<Place, number>>, spent: { kernel: number; helpers: number; thread: number }): Spent {
  const { kernel, helpers, thread } = spent
  const all = sum(samples)
  const native = Math.max(0, (samples.native ?? 0) - (all * kernel) / (kernel + thread))
  const own = { ...samples, native }
  const micros = Object.entries(own).map(([place, count]) => [place, (thread * count) / sum(own)])
  return { ...Object.fromEntries(micros), kernel, helpers } as Spent // with the keys of `samples`
}

const sum = (counts: Partial<Record<Place, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)
