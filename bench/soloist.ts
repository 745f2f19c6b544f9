/** One subject at a time in a process of its own: `soloist.ts request by-hand`. It does what its parent asks and says what that cost. */
import { profile } from './profiler.ts'
import type { Area, Subject } from './subjects.ts'
import type { Report } from './worker.ts'

/** Works on a load for about so many milliseconds, and says what that cost, or with `profile` where it went. */
export interface Piece {
  load: string
  ms: number
  profile?: boolean
}

const [area = '', id = ''] = process.argv.slice(2)
const ready = new Map<string, { subject: Subject; calls: number }>()
let turn = 0
/** What came out last: nothing that is made may be dropped before it is made. */
let made: unknown

async function repeat({ run }: Subject, calls: number): Promise<void> {
  made = run(turn++)
  if (made instanceof Promise) {
    for (let left = calls; left > 0; left--) made = await run(turn++)
  } else {
    for (let left = calls; left > 0; left--) made = run(turn++)
  }
}

async function checked({ run, check }: Subject): Promise<void> {
  const here = turn++
  check(await run(here), here)
}

/** Warms it up, and finds how often it can be done in the time: the same number in every round. */
async function prepare({ load, ms }: Piece): Promise<{ subject: Subject; calls: number } | undefined> {
  const known = ready.get(load)
  if (known) return known
  const { loads } = (await import(new URL(`./subjects/${area}.ts`, import.meta.url).href)) as Area // what every file there exports
  const subject = await loads.find((one) => one.id === load)?.subjects[id]?.()
  if (!subject) return undefined
  for (let few = 0; few < 5; few++) await checked(subject)
  let calls = 1
  let took = 0
  while (took < ms) {
    calls *= 2
    const started = performance.now()
    await repeat(subject, calls)
    took = performance.now() - started
  }
  const found = { subject, calls: Math.max(1, Math.round((calls * ms) / took)) }
  ready.set(load, found)
  return found
}

async function work(piece: Piece): Promise<Report> {
  try {
    const found = await prepare(piece)
    if (!found) return { kind: 'missing', reason: 'has no such load' }
    const { subject, calls } = found
    await checked(subject)
    globalThis.gc?.() // nobody pays for the round before
    if (piece.profile) return { kind: 'profile', spent: await profile(calls, () => repeat(subject, calls)) }
    const wall = performance.now()
    const cpu = process.cpuUsage()
    await repeat(subject, calls)
    const { user, system } = process.cpuUsage(cpu)
    const wallMs = performance.now() - wall
    await checked(subject)
    return { kind: 'cost', cpuMicros: (user + system) / calls, wallMs: wallMs / calls }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const reason = text.split('\n')[0] ?? ''
    if (reason.startsWith('Cannot find package'))
      return { kind: 'missing', reason: `not installed; npm ci --prefix bench does it (${reason.split(' imported')[0]})` }
    return { kind: 'failed', reason }
  }
}

process.on('message', (piece: Piece) => void work(piece).then((report) => process.send?.(report)))
process.on('disconnect', () => process.exit(0))
