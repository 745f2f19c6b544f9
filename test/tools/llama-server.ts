import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

/**
 * A real inference server that nobody here wrote: llama.cpp's llama-server. It speaks OpenAI Chat Completions, Responses,
 * Anthropic Messages and embeddings, and runs the models of `gguf.ts` in milliseconds.
 *
 * `LLAMA_SERVER` names an executable; without it, `../shared/tools/get-llama-server.sh` unpacks one once, where that exists.
 * Where neither works, tests skip and say why.
 */
export interface LlamaServer {
  /** `http://127.0.0.1:port`, without a path. */
  url: string
  apiKey: string
  /** The name under which the server lists its model. */
  model: string
  pid: number
  /** Everything that the server has printed so far. */
  log(): string
  /** The first line that matches, printed already or within the time; throws with the end of the log. */
  waitForLog(pattern: RegExp, milliseconds?: number): Promise<string>
  /** Ends the process and waits until it is gone; twice does no harm. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface LlamaServerOptions {
  /** The bytes of a GGUF, or the path of one. */
  model: Uint8Array | string
  alias?: string
  apiKey?: string
  /** Tokens for all slots together; each gets its share. */
  context?: number
  slots?: number
  /** Further arguments, such as `--embeddings --pooling mean`. */
  args?: readonly string[]
}

/** The command that starts the server, or why there is none. */
export type Availability = { command: readonly string[]; missing?: undefined } | { command?: undefined; missing: string }

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const script = join(root, '../shared/tools/get-llama-server.sh')
const cache = join(root, 'node_modules/.cache/llama-server')

let found: Promise<Availability> | undefined

/** Finds the server or gets it; the answer is kept for the life of this process. */
export function available(): Promise<Availability> {
  found ??= find().catch((error: unknown) => ({ missing: `llama-server does not work here: ${firstLine(error)}` }))
  return found
}

async function find(): Promise<Availability> {
  const { LLAMA_SERVER } = process.env
  if (LLAMA_SERVER === undefined && !(await runs(script))) {
    return { missing: 'no llama-server: set LLAMA_SERVER to the path of one' }
  }
  const command = LLAMA_SERVER === undefined ? [await unpacked(), 'llama-server'] : [LLAMA_SERVER]
  const [file = '', ...args] = command
  await run(file, [...args, '--version'], { timeout: 10_000 }) // the wrong libraries or the wrong CPU show here
  return { command }
}

async function unpacked(): Promise<string> {
  const runner = join(cache, 'run')
  if (await runs(runner)) return runner
  await mkdir(join(cache, '..'), { recursive: true })
  const own = await mkdtemp(`${cache}-`) // test files run at once: each unpacks for itself, the first to be done wins
  try {
    await run('timeout', ['120', 'bash', script, own])
    await rm(join(own, 'apt'), { recursive: true })
    await rename(own, cache).catch(async (error: unknown) => {
      if (!(await runs(runner))) throw error
    })
  } finally {
    await rm(own, { recursive: true, force: true })
  }
  return runner
}

// No test may leave a server behind: not when it throws, not when its process ends, and where Linux can, not when it is killed.
const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts a server on a free loopback port and waits until it is healthy. */
export async function startLlamaServer(options: LlamaServerOptions): Promise<LlamaServer> {
  const { model, alias = 'tiny', apiKey = 'k', context = 2048, slots = 2, args = [] } = options
  const { command, missing } = await available()
  if (command === undefined) throw new Error(missing)

  const folder = await mkdtemp(join(tmpdir(), 'modelwire-'))
  let stop: (() => Promise<void>) | undefined
  try {
    const path = typeof model === 'string' ? model : join(folder, 'model.gguf')
    if (typeof model !== 'string') await writeFile(path, model)
    // One thread: with two and any other load, a tiny model falls from thousands of tokens a second to a handful.
    const own = ['-m', path, '--alias', alias, '--api-key', apiKey, '--host', '127.0.0.1', '--port', '0', '-t', '1', '-tb', '1']
    const whole = [...command, ...own, '-c', `${context}`, '-np', `${slots}`, '--jinja', '--no-webui', '--offline', ...args]
    const [file = '', ...rest] = (await runs('/usr/bin/setpriv')) ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', ...whole] : whole
    // The caller's LLAMA_ARG_… would silently change what is tested; without GGML_NO_BACKTRACE, a crash starts a debugger.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LLAMA_')))
    const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env, GGML_NO_BACKTRACE: '1' } })
    const log = capture(child)
    stop = () => end(child)

    const [, url = ''] = /listening on (\S+)/.exec(await log.waitFor(/listening on \S+/, 20_000)) ?? []
    for (let tries = 0; (await fetch(`${url}/health`)).status !== 200; tries++) {
      if (tries === 200) throw new Error(`llama-server stays unhealthy\n${log.text().slice(-2000)}`)
      await delay(50)
    }
    const pid = child.pid ?? 0 // it is alive, so it has one
    return { url, apiKey, model: alias, pid, log: log.text, waitForLog: log.waitFor, stop, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop?.()
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true }) // a loaded model stays mapped without its name
  }
}

function capture(child: ChildProcess): { text(): string; waitFor(pattern: RegExp, milliseconds?: number): Promise<string> } {
  alive.add(child)
  let text = ''
  let over: string | undefined
  const listeners = new Set<() => void>()
  const tell = (): void => listeners.forEach((listener) => listener())
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (data: string) => {
      text += data
      tell()
    })
  }
  child.once('error', (error) => {
    over = error.message
    alive.delete(child)
    tell()
  })
  child.once('close', (code, signal) => {
    over ??= `llama-server ended with ${signal ?? code}`
    alive.delete(child)
    tell()
  })
  const waitFor = (pattern: RegExp, milliseconds = 5000): Promise<string> =>
    new Promise((fulfil, reject) => {
      const check = (late = false): void => {
        const line = text
          .split('\n')
          .slice(0, -1)
          .find((candidate) => pattern.test(candidate)) // the last may be incomplete
        if (line === undefined && over === undefined && !late) return
        listeners.delete(check)
        clearTimeout(timer)
        if (line !== undefined) fulfil(line)
        else reject(new Error(`${over ?? `${milliseconds} ms went by`} without ${pattern} in the log:\n${text.slice(-2000)}`))
      }
      const timer = setTimeout(check, milliseconds, true)
      listeners.add(check)
      check()
    })
  return { text: () => text, waitFor }
}

async function end(child: ChildProcess): Promise<void> {
  if (!alive.has(child)) return
  const closed = new Promise((fulfil) => child.once('close', fulfil))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000) // it lets running generations finish first
  await closed
  clearTimeout(timer)
}

async function runs(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}

const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
