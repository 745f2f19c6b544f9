import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { abortError, race, sleep } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import { startTimer } from '../core/timer.ts'
import type { Service, Way } from '../manifest/service.ts'
import { type End, type Guard, startGuard } from './guard.ts'
import type { Asked } from './health.ts'
import { type Launch, prepareLaunch } from './launch.ts'
import { createLog, type Log } from './log.ts'
import { freePort, isFree, loopback } from './port.ts'
import type { ServiceOptions } from './status.ts'

/** A service that this runtime started. */
export interface Managed {
  readonly url: string
  readonly how: string
  readonly pid: number | undefined
  readonly startedAt: number
  readonly apiKey: string | undefined
  /** How it ended by itself; nothing while it runs. */
  readonly ended: string | undefined
  logs(lines: number): Promise<string[]>
  stop(): Promise<void>
}

export interface Start {
  id: string
  service: Service
  way: Way
  env: Record<string, string | undefined>
  options: ServiceOptions
  apiKey: string | undefined
  /** Absent: a free one. */
  port: number | undefined
  ask(origin: string, signal: AbortSignal): Promise<Asked>
  /** Hears of the log as soon as there is one. */
  begun(log: Log): void
  signal: AbortSignal
}

/** Starts for one who found the port taken between our look at it and the engine's. */
const tries = 3
const lastLines = 10

/** Starts a service and waits until it is healthy; what didn't become so is ended again. */
export async function manage(start: Start): Promise<Managed> {
  for (let left = tries - 1; ; left--) {
    const port = start.port ?? (await freePort())
    if (start.port !== undefined && !(await isFree(port))) throw taken(start.id, port)
    const outcome = await once(start, port)
    if (outcome !== 'taken') return outcome
    if (left === 0 || start.port !== undefined) throw taken(start.id, port)
  }
}

async function once(start: Start, port: number): Promise<Managed | 'taken'> {
  const { id, way, options, apiKey, env } = start
  const secrets = [apiKey].filter((secret) => secret !== undefined)
  const log = createLog({ file: options.logFile, hear: options.onLog, secrets })
  start.begun(log)
  const wanted = { model: options.model, args: options.args ?? [], port, apiKey, env: options.env ?? {} }
  let launch: Launch | undefined
  let guard: Guard | undefined
  try {
    launch = prepareLaunch(id, way, wanted, env)
    guard = startGuard(launch.orders, log)
    await healthy(start, `http://${loopback}:${port}`, guard, launch, log)
    guard.unref()
    return running(start, port, guard, launch, log)
  } catch (error) {
    const died = error instanceof Died
    await guard?.stop()
    if (launch?.orders.folder !== undefined) rmSync(launch.orders.folder, { recursive: true, force: true })
    log.close()
    if (!died) throw error
    if (error.end.error === undefined && !(await isFree(port))) return 'taken'
    throw new ModelwireError('server_error', `"${id}" ${howEnded(error.end)} before it was healthy${quoted(log)}`, {
      provider: id,
      retryable: false,
      hint: 'its own words say why; `args` and `env` of the start reach the engine',
    })
  }
}

class Died extends Error {
  declare readonly end: End
  constructor(end: End) {
    super('died')
    this.end = end
  }
}

/** Until it is healthy, it dies, the time is over or the caller leaves. */
async function healthy(start: Start, origin: string, guard: Guard, launch: Launch, log: Log): Promise<void> {
  const { id, service, way, options, signal: caller } = start
  const within = options.within ?? service.health.within
  const late = new AbortController()
  const signal = AbortSignal.any([caller, late.signal])
  const timer = startTimer(() => late.abort(), within)
  const death = guard.over.then((end) => {
    throw new Died(end)
  })
  death.catch(() => undefined) // it may come long after anybody asks
  let last: Asked = { healthy: false }
  const wait = async (): Promise<void> => {
    if (way.compose !== undefined || way.returns) await guard.up
    for (let asked = 0; ; asked++) {
      last = await start.ask(origin, signal)
      if (last.healthy) return
      if (launch.alive !== undefined && asked % 10 === 9 && (await print(launch.alive, launch)) === '')
        throw new Died({ code: null, signal: null, error: 'has no container that runs' })
      await sleep(service.health.every, signal)
    }
  }
  try {
    await race(Promise.race([wait(), death]), signal)
  } catch (error) {
    if (!late.signal.aborted || caller.aborted) throw caller.aborted ? abortError(caller) : error
    const why = last.error === undefined ? '' : `: ${last.error}`
    throw new ModelwireError('timeout', `"${id}" was not healthy within ${within} ms${why}${quoted(log)}`, {
      provider: id,
      retryable: false,
      hint: 'give it more time with `within`, if it was still loading its model',
    })
  } finally {
    clearTimeout(timer)
    late.abort() // a question under way ends with us
  }
}

function running({ way, apiKey }: Start, port: number, guard: Guard, launch: Launch, log: Log): Managed {
  let ended: string | undefined
  let stopping = false
  const watch = async (): Promise<void> => {
    const end = await guard.over
    if (!stopping) ended = `it ${howEnded(end)}${quoted(log)}`
    log.close()
  }
  void watch()
  return {
    url: `http://${loopback}:${port}`,
    how: way.name,
    get pid() {
      return guard.pid
    },
    startedAt: Date.now(),
    apiKey,
    get ended() {
      return ended
    },
    async logs(lines) {
      const kept = log.tail(lines)
      if (launch.logs === undefined) return kept
      const text = await print(launch.logs(lines), launch)
      const told = (apiKey === undefined ? text : text.replaceAll(apiKey, '[redacted]')).split('\n').filter((line) => line !== '')
      return [...kept, ...told].slice(-lines)
    },
    stop() {
      stopping = true
      return guard.stop()
    },
  }
}

/** What a command prints, cut where it is long; what it complains about counts too. */
function print([file = '', ...args]: string[], { orders }: Launch): Promise<string> {
  const options = { env: orders.env, timeout: 10_000, maxBuffer: 4 * 1_048_576 }
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) => {
      resolve(error === null ? stdout : `${stdout}${stderr}${stdout === '' && stderr === '' ? error.message : ''}`)
    })
  })
}

function howEnded({ code, signal, error }: End): string {
  if (error !== undefined) return error
  return signal === null ? `ended with status ${code}` : `was ended by ${signal}`
}

function quoted(log: Log): string {
  const lines = log.tail(lastLines)
  return lines.length === 0 ? '' : `:\n${lines.join('\n')}`
}

function taken(id: string, port: number): ModelwireError {
  return new ModelwireError('conflict', `"${id}" can't be started: port ${port} is taken`, {
    provider: id,
    hint: 'leave the port out to have a free one found, or end what listens there',
  })
}
