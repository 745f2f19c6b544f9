import { type ChildProcess, spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRuntime } from '../../src/index.ts'
import { pullFromEngine } from '../../src/cli/pull.ts'
import { gone, lives, toy } from '../tools/engine.ts'
import { serve } from '../tools/server.ts'
import { environment, main, modelwire } from './run.ts'

/** A folder with the toy engine, and the arguments and variables by which the command finds it. */
function place(): { flags: string[]; env: Record<string, string> } {
  const { folder } = toy()
  return { flags: ['--protocols', join(folder, 'toy.yaml')], env: { PATH: [folder, '/usr/bin', '/bin'].join(delimiter) } }
}

interface Started {
  child: ChildProcess
  stdout: () => string
  stderr: () => string
  over: Promise<number | string | null>
}

/** Runs the command until it has said that the engine is ready. */
async function started(args: string[], env: Record<string, string>): Promise<Started> {
  const child = spawn(process.execPath, [main, 'services', 'start', ...args], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  const over = new Promise<number | string | null>((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)))
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      if (stderr.includes('is ready at')) resolve()
    })
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  return { child, stdout: () => stdout, stderr: () => stderr, over }
}

describe('services start', () => {
  it('runs an engine until Ctrl-C, and tells another shell where it is', async () => {
    const { flags, env } = place()
    const { child, stdout, over } = await started(['toy', ...flags, '-m', 'small', '--', '--loud'], env)
    const url = /export MODELWIRE_TOY_BASE_URL='([^']+)'/.exec(stdout())?.[1] ?? ''
    const key = /export TOY_KEY='([\w-]{32})'/.exec(stdout())?.[1] ?? ''
    const told = { ...env, MODELWIRE_TOY_BASE_URL: url, TOY_KEY: key }
    const ran = await modelwire(['chat', '-m', 'toy/m', ...flags, 'hello', '--no-stream'], { env: told })
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('hello from') })
    const status = await modelwire(['services', 'status', 'toy', ...flags], { env: told })
    expect(status).toMatchObject({ status: 0, stdout: expect.stringContaining('healthy') })
    child.kill('SIGINT')
    expect(await over).toBe(0)
    const after = await modelwire(['services', 'status', 'toy', '--json', ...flags], { env: told })
    expect(after.status).toBe(1)
    expect(JSON.parse(after.stdout)).toMatchObject([{ id: 'toy', running: false }])
  })

  it('takes the engine with it when it is killed', async () => {
    const { flags, env } = place()
    const { child, stdout } = await started(['toy', ...flags, '--json'], env)
    const { pid } = JSON.parse(stdout()) as { pid: number }
    expect(lives(pid)).toBe(true)
    child.kill('SIGKILL')
    expect(await gone(pid)).toBe(true)
  })

  it('says what an engine said that failed', async () => {
    const { flags, env } = place()
    const ran = await modelwire(['services', 'start', 'toy', ...flags, '--', '--mode', 'dies'], { env })
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain('no such model')
    const port = await modelwire(['services', 'start', 'toy', '--port', '0', ...flags], { env })
    expect(port.status).toBe(2)
  })

  it('ends with the engine', async () => {
    const { flags, env } = place()
    const { stdout, stderr, over } = await started(['toy', ...flags, '--no-key', '--json'], env)
    const { url, environment: told } = JSON.parse(stdout()) as { url: string; environment: Record<string, string> }
    expect(Object.keys(told)).toEqual(['MODELWIRE_TOY_BASE_URL'])
    await fetch(`${url}/quit`).catch(() => undefined)
    expect(await over).toBe(1)
    expect(stderr()).toContain('"toy" is over: it ended with status 7')
  })
})

describe('services', () => {
  it('lists the engines that manifests can start', async () => {
    const { flags, env } = place()
    const ran = await modelwire(['services', ...flags], { env })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^toy +native +not running/m)
    expect(ran.stdout).toMatch(/^vllm +vLLM +native, docker/m)
  })
})

describe('a pull', () => {
  it('prints each step, where no terminal is listening', async () => {
    const server = await serve((_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/x-ndjson' })
        .end('{"status":"pulling manifest"}\n{"status":"pulling a","digest":"a","total":4,"completed":2}\n{"status":"success"}\n'),
    )
    const mw = createRuntime({ env: {}, providers: { ollama: { baseUrl: server.url } } })
    onTestFinished(() => mw.close())
    const written: string[] = []
    const [out, err] = [process.stdout.write, process.stderr.write]
    process.stdout.write = (text) => written.push(`out ${String(text)}`) > 0
    process.stderr.write = (text) => written.push(`err ${String(text)}`) > 0
    try {
      expect(await pullFromEngine(mw, 'ollama/llama3.2')).toBe(0)
    } finally {
      Object.assign(process.stdout, { write: out })
      Object.assign(process.stderr, { write: err })
    }
    expect(written).toEqual(['err pulling manifest\n', 'err pulling a\n', 'err success\n', 'out ollama/llama3.2 is there\n'])
  })
})
