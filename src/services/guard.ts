import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startTimer } from '../core/timer.ts'
import type { Orders, Told } from './guardian.ts'
import type { Log } from './log.ts'

/** How a service ended. */
export interface End {
  code: number | null
  signal: NodeJS.Signals | null
  error?: string
}

/** A service that runs under a guardian. */
export interface Guard {
  /** The engine's own process. */
  readonly pid: number | undefined
  /** Resolves when a command that returns has done so, well. */
  readonly up: Promise<void>
  /** Resolves when the service is over, however. */
  readonly over: Promise<End>
  /** Ends the service and waits until it is gone; twice does no harm. */
  stop(): Promise<void>
  /** Our process may end without waiting for it: its end is the service's. */
  unref(): void
}

const own = fileURLToPath(import.meta.url)
const guardian = own.replace(/guard(\.[jt]s)$/, 'guardian$1')
/** Beyond the grace: what a guardian needs for itself. */
const slack = 5_000
/** For the last lines of the output. */
const patience = 500

/** Starts a guardian and hands it its orders over a channel: no argument and no environment of it holds a secret. */
export function startGuard(orders: Orders, log: Log): Guard {
  const child = fork(guardian, [], { execArgv: [], env: plain(), stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true })
  const up = Promise.withResolvers<void>()
  const over = Promise.withResolvers<End>()
  const left = drained(child)
  let end: End | undefined
  let pid: number | undefined
  let stopping: Promise<void> | undefined
  log.read(child.stdout)
  log.read(child.stderr)
  child.on('message', (told: Told) => {
    if (told.type === 'started') pid = told.pid
    else if (told.type === 'up') up.resolve()
    else end = { code: told.code, signal: told.signal, ...(told.error === undefined ? {} : { error: told.error }) }
  })
  child.once('error', (error) => over.resolve({ code: null, signal: null, error: `could not be run (${error.message})` }))
  const bury = async (): Promise<void> => {
    await left
    if (end === undefined) killGroup(pid) // without its guardian the engine has nobody to end it
    over.resolve(end ?? { code: child.exitCode, signal: child.signalCode, error: 'lost its guardian' })
  }
  void bury()
  child.send(orders, () => undefined) // one that is gone tells by its end

  const stop = async (): Promise<void> => {
    if (child.connected) child.send({}, () => undefined) // one that is just leaving needs no word
    const timer = startTimer(
      () => {
        killGroup(pid)
        child.kill('SIGKILL')
      },
      2 * orders.grace + slack,
    )
    await left
    clearTimeout(timer)
  }

  return {
    get pid() {
      return pid
    },
    up: up.promise,
    over: over.promise,
    stop: () => (stopping ??= stop()),
    unref() {
      child.unref()
      child.channel?.unref()
      for (const stream of [child.stdout, child.stderr])
        if (stream !== null && 'unref' in stream) (stream as { unref(): void }).unref() // a socket has one
    },
  }
}

/** Resolves when the process has ended and its output is read, as far as somebody else doesn't keep that open. */
function drained(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve())
    child.once('exit', () => {
      const timer = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, patience)
      child.once('close', () => clearTimeout(timer))
    })
    child.once('error', () => {
      if (child.pid === undefined) resolve()
    })
  })
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined || process.platform === 'win32') return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error // gone already
  }
}

/** The guardian needs nothing of ours but what finds its libraries; NODE_OPTIONS would load who knows what into it. */
function plain(): Record<string, string> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'ELECTRON_RUN_AS_NODE']
  return Object.fromEntries(kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}
