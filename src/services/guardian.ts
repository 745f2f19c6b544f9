/**
 * The process between Modelwire and an engine. It runs the engine in a process group of its own and ends that group when
 * it is told to, or when the channel to its parent closes: the kernel closes it however the parent dies, SIGKILL included.
 * It is a program, not a module: nothing imports it but for its types.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { startTimer } from '../core/timer.ts'

/** What is to be run; the first message to the guardian. */
export interface Orders {
  /** The program and its arguments. */
  command: string[]
  env: Record<string, string>
  /** The command ends by itself and leaves something running, which `down` ends. */
  returns: boolean
  /** Ends the service; absent: the signal alone does. */
  down: string[] | undefined
  signal: NodeJS.Signals
  /** Milliseconds from being told to end to being killed. */
  grace: number
  /** Goes when all is over. */
  folder: string | undefined
}

/** What the guardian tells. */
export type Told =
  | { type: 'started'; pid: number }
  /** A command that returns has done so, well. */
  | { type: 'up' }
  /** The service is over. */
  | { type: 'over'; code: number | null; signal: NodeJS.Signals | null; error?: string }

let engine: ChildProcess | undefined
let ending: Promise<void> | undefined
const over = Promise.withResolvers<void>()

function tell(told: Told): void {
  // The parent may have gone: then there is nobody to be told, and `disconnect` ends it all.
  if (process.connected) process.send?.(told, () => undefined)
}

function begin(orders: Orders): void {
  const stop = (): void => void (ending ??= end(orders))
  process.on('disconnect', stop).on('message', stop)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  engine = run([...tie(), ...orders.command], orders.env)
  if (engine.pid !== undefined) tell({ type: 'started', pid: engine.pid })
  engine.once('error', (error) =>
    finish(orders, { type: 'over', code: null, signal: null, error: `could not be run (${error.message})` }),
  )
  engine.once('exit', (code, signal) => {
    over.resolve()
    if (orders.returns && code === 0 && ending === undefined) return tell({ type: 'up' })
    // What the engine left behind in its group would hold its port and its memory.
    if (engine !== undefined) kill(engine, 'SIGKILL')
    // One that only failed to come up may have left half of it running.
    ending ??= orders.returns ? down(orders) : over.promise
    void ending.then(() => finish(orders, { type: 'over', code, signal }))
  })
  if (!process.connected) stop()
}

const setpriv = '/usr/bin/setpriv'

/** Where Linux can, the engine dies with its guardian, for the case that this one is killed at once with its parent. */
function tie(): string[] {
  return process.platform === 'linux' && existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', '--'] : []
}

/** A group of its own: a Ctrl-C at the terminal is for Modelwire, and one signal reaches all that the engine started. */
function run([file = '', ...args]: string[], env: Record<string, string>): ChildProcess {
  return spawn(file, args, { env, stdio: ['ignore', 'inherit', 'inherit'], detached: true, windowsHide: true })
}

async function end(orders: Orders): Promise<void> {
  const child = engine
  if (child === undefined) return
  const running = child.exitCode === null && child.signalCode === null
  if (!running) {
    await down(orders)
    return finish(orders, { type: 'over', code: child.exitCode, signal: child.signalCode })
  }
  if (orders.down === undefined || orders.returns) kill(child, orders.signal)
  const late = startTimer(() => kill(child, 'SIGKILL'), orders.grace)
  if (!orders.returns) await down(orders)
  await over.promise
  clearTimeout(late)
  if (orders.returns) await down(orders) // only now: what comes up meanwhile would stay
}

/** Runs the command that ends the service, within the grace. */
async function down(orders: Orders): Promise<void> {
  if (orders.down === undefined) return
  const child = run(orders.down, orders.env)
  const late = startTimer(() => kill(child, 'SIGKILL'), orders.grace)
  await new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  clearTimeout(late)
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' })
    else process.kill(-child.pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // gone already
  }
}

function finish({ folder }: Orders, told: Told): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  tell(told)
  if (process.connected) process.disconnect()
  process.exitCode = 0
}

process.once('message', (orders: Orders) => begin(orders))
