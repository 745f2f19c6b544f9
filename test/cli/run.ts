import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** What came of a command. */
export interface Ran {
  /** The exit status; 128 and the signal's number when one ended it. */
  status: number
  stdout: string
  stderr: string
}

export interface How {
  env?: Record<string, string>
  /** What is piped in; nothing, and closed, when absent. `open` leaves the pipe open. */
  input?: string | 'open'
  cwd?: string
  /** Gets the process once it runs. */
  meanwhile?: (child: ChildProcess) => void
}

/** A clean environment: no keys of the machine, no proxies, no colours. Compiled once for all runs, they start in half the time. */
export function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    NODE_COMPILE_CACHE: join(tmpdir(), 'modelwire-compile-cache'),
    ...more,
  }
}

/** Runs the command from outside, as a user would. */
export function modelwire(args: string[], { env, input, cwd, meanwhile }: How = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd, env: environment(env), stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin.on('error', () => undefined) // it may leave before it read everything
    if (input !== 'open') child.stdin.end(input ?? '')
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ status: code ?? (signal === 'SIGINT' ? 130 : 255), stdout, stderr }))
    meanwhile?.(child)
    onTestFinished(() => void child.kill('SIGKILL'))
  })
}

/** A folder with these files, gone after the test. */
export function folder(files: Record<string, string | Uint8Array> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'modelwire-cli-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
  return path
}

/** The lines of an output that holds JSON, one value a line. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
