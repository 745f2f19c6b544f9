import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/index.ts'

/**
 * An engine of the tests' own: a real process with a real port. It answers `GET /health` and `POST /v1/chat`, asks for the
 * key in ENGINE_KEY, prints it (which nobody may see), and does what `--mode` says.
 */
const engine = `#!${process.execPath}
const http = require('node:http'), fs = require('node:fs'), { spawn } = require('node:child_process')
const value = (name) => { const at = process.argv.indexOf('--' + name); return at < 0 ? undefined : process.argv[at + 1] }
const mode = value('mode') ?? 'well', port = Number(value('port')), key = process.env.ENGINE_KEY
console.log('the key is ' + key)
console.log('args ' + JSON.stringify(process.argv.slice(2)))
console.log('env ' + JSON.stringify(Object.keys(process.env).sort()))
if (mode === 'dies') { console.error('no such model\\nlast words of ' + key); process.exit(3) }
if (mode === 'stubborn') process.on('SIGTERM', () => console.log('no'))
if (mode === 'family' || mode === 'stubborn') {
  const child = spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { stdio: 'inherit' })
  fs.writeFileSync(value('pids'), process.pid + ' ' + child.pid)
}
if (mode === 'robbed' && !fs.existsSync(value('mark'))) {
  fs.writeFileSync(value('mark'), String(port))
  const script = "require('node:net').createServer().listen(" + port + ", '127.0.0.1', () => setTimeout(() => process.exit(), 3000))"
  spawn(process.execPath, ['-e', script], { detached: true, stdio: 'ignore' }).unref()
  setTimeout(() => { console.error('address already in use'); process.exit(1) }, 500)
} else if (mode !== 'deaf') {
  const ready = Date.now() + (mode === 'slow' ? 1500 : 0)
  http.createServer((request, response) => {
    const say = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/health') return say(Date.now() < ready ? 503 : 200, { engine: mode === 'other' ? 'other' : 'toy' })
    if (key !== undefined && request.headers.authorization !== 'Bearer ' + key) return say(401, { error: { message: 'who are you?' } })
    if (request.url === '/quit') return process.exit(7)
    request.resume().on('end', () => say(200, { text: 'hello from ' + port, stop: 'done' }))
  }).listen(port, value('host'), () => console.log('listening on ' + port))
} else setInterval(() => {}, 1000)
`

/** What a test may change in the manifest of the engine. */
export interface EngineOptions {
  /** The address of the manifest; one where nobody listens when absent. */
  base?: string
  /** Lines of the service, over those that make the engine run. */
  service?: string
  /** Further programs on the PATH: names and texts. */
  programs?: Record<string, string>
  env?: Record<string, string>
  options?: RuntimeOptions
}

export const usual = `
  health: { get: /health, body: { engine: toy }, every: 20ms, within: 20s }
  ways:
    native:
      command: [toy-engine, --host, $.host, --port, $.port, { $if: { model: "*" }, $then: [--model, $.model] }, { $each: $.args }]
      env: { ENGINE_KEY: $.apiKey }
      pass: [TOY_TOKEN]
      stop: { grace: 1s }`

function toyManifest(base: string, service: string): string {
  return `
id: toy
base: ${base}
auth: { bearer: TOY_KEY, optional: true }
operations:
  chat:
    post: /chat
    body: { model: $.model, messages: { $each: $.messages, $do: { role: $.role, text: "$.content[*].text | join" } } }
    events:
      text: { emit: { type: text, delta: $.text } }
      stop: { emit: { type: finish, raw: $.stop } }
    finish: { done: stop }
error: { message: $.error.message }
service:${service}
`
}

/** A runtime with the engine's manifest, and a PATH with its program. Closed, and gone, after the test. */
export function toy({
  base = 'http://127.0.0.1:9/v1',
  service = usual,
  programs = {},
  env = {},
  options = {},
}: EngineOptions = {}): {
  mw: Runtime
  folder: string
} {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-engine-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries({ 'toy-engine': engine, ...programs })) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
  const manifest = join(folder, 'toy.yaml')
  writeFileSync(manifest, toyManifest(base, service))
  const path = [folder, '/usr/bin', '/bin'].join(delimiter)
  const mw = createRuntime({ protocols: manifest, retry: false, ...options, env: { PATH: path, ...env } })
  onTestFinished(() => mw.close())
  return { mw, folder }
}

export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A zombie answers too; it holds nothing any more.
    const stat = `/proc/${pid}/stat`
    return !existsSync(stat) || !/^\d+ \(.*\) Z/.test(readFileSync(stat, 'utf8'))
  } catch {
    return false
  }
}

/** Waits until a process is gone, or fails after so many milliseconds. */
export async function gone(pid: number, within = 5_000): Promise<boolean> {
  for (const end = Date.now() + within; Date.now() < end;) {
    if (!lives(pid)) return true
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return false
}
