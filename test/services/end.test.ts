import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gone, lives, toy, usual } from '../tools/engine.ts'

const index = new URL('../../src/index.ts', import.meta.url).href

/** Another process that starts the service, and the ids of what it started. */
async function elsewhere(
  folder: string,
  after: string,
): Promise<{ parent: number; engine: number; child: number; over: Promise<void> }> {
  const pids = join(folder, 'pids')
  const script = join(folder, 'parent.ts')
  writeFileSync(
    script,
    `import { createRuntime } from ${JSON.stringify(index)}
const mw = createRuntime({ protocols: ${JSON.stringify(join(folder, 'toy.yaml'))}, env: process.env })
const status = await mw.startService('toy', { args: ['--mode', 'stubborn', '--pids', ${JSON.stringify(pids)}] })
console.log(JSON.stringify(status))
await new Promise((go) => process.stdin.once('data', go)) // not before it was seen that they live
process.stdin.destroy()
${after}
`,
  )
  const path = `${folder}:/usr/bin:/bin`
  const parent = spawn(process.execPath, [script], { env: { PATH: path }, stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void parent.kill('SIGKILL'))
  const over = new Promise<void>((resolve) => parent.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    parent.stdout.once('data', () => resolve())
    parent.once('exit', (code) => reject(new Error(`the parent ended with ${code}`)))
  })
  const [engine = 0, child = 0] = readFileSync(pids, 'utf8').split(' ').map(Number)
  expect([lives(engine), lives(child)]).toEqual([true, true])
  onTestFinished(() => [engine, child].filter(lives).forEach((pid) => process.kill(pid, 'SIGKILL')))
  parent.stdin.write('go')
  return { parent: parent.pid ?? 0, engine, child, over }
}

describe('what was started ends', () => {
  it('with all of its processes, even when it ignores the signal', async () => {
    const { mw, folder } = toy()
    const pids = join(folder, 'pids')
    await mw.startService('toy', { args: ['--mode', 'stubborn', '--pids', pids] })
    const [engine = 0, child = 0] = readFileSync(pids, 'utf8').split(' ').map(Number)
    const began = performance.now()
    await mw.stopService('toy')
    expect([lives(engine), lives(child)]).toEqual([false, false])
    expect(performance.now() - began).toBeGreaterThan(900) // the grace
  })

  it('when the runtime is closed', async () => {
    const { mw } = toy()
    const { pid = 0 } = await mw.startService('toy')
    await mw.close()
    expect(lives(pid)).toBe(false)
    await expect(mw.startService('toy')).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('when the runtime is closed while it starts', async () => {
    const { mw } = toy()
    let line = ''
    const start = mw.startService('toy', { args: ['--mode', 'deaf'], onLog: (told) => (line = told) })
    start.catch(() => undefined)
    await expect.poll(() => line, { timeout: 3_000 }).not.toBe('')
    await mw.close()
    await expect(start).rejects.toMatchObject({ kind: 'cancelled' })
  })

  it('when our process is killed', async () => {
    const { folder } = toy()
    const { parent, engine, child } = await elsewhere(folder, 'setInterval(() => {}, 1000)')
    process.kill(parent, 'SIGKILL')
    expect(await gone(engine)).toBe(true)
    expect(await gone(child)).toBe(true)
  })

  it('when our process ends without a word; and it does end', async () => {
    const { folder } = toy()
    const { engine, child, over } = await elsewhere(folder, '')
    await over
    expect(await gone(engine)).toBe(true)
    expect(await gone(child)).toBe(true)
  })

  it('when its guardian is killed', async () => {
    const { mw } = toy()
    const { pid = 0 } = await mw.startService('toy')
    process.kill(guardianOf(pid), 'SIGKILL')
    expect(await gone(pid)).toBe(true)
    await expect.poll(async () => (await mw.serviceStatus('toy')).error, { timeout: 3_000 }).toContain('guardian')
  })
})

describe.runIf(existsSync('/usr/bin/setpriv'))('on Linux', () => {
  it('an engine ends even when its guardian is killed together with us', async () => {
    const { folder } = toy()
    const { parent, engine } = await elsewhere(folder, 'setInterval(() => {}, 1000)')
    process.kill(guardianOf(engine), 'SIGSTOP') // it can do nothing any more
    process.kill(parent, 'SIGKILL')
    process.kill(guardianOf(engine), 'SIGKILL')
    expect(await gone(engine)).toBe(true)
  })
})

function guardianOf(engine: number): number {
  return Number(/^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${engine}/stat`, 'utf8'))?.[1])
}

/** A service whose command ends at once and leaves it running, as the control programs of desktop applications do. */
const returning = usual
  .replace('command: [toy-engine,', 'command: [toy-control, up,')
  .replace(
    'stop: { grace: 1s }',
    'returns: true\n      stop: { command: [toy-control, down], grace: 5s }\n      logs: [toy-control, logs]',
  )

const control = `#!/bin/sh
folder=$(dirname "$0"); verb=$1; shift
case $verb in
  up) setsid "$folder/toy-engine" "$@" > "$folder/out" 2>&1 & echo $! > "$folder/pid" ;;
  down) kill -s KILL -- -$(cat "$folder/pid") ;;
  logs) cat "$folder/out" ;;
esac
`

describe('a command that returns', () => {
  it('leaves the service running until its other command ends it', async () => {
    const { mw, folder } = toy({ service: returning, programs: { 'toy-control': control } })
    expect(await mw.startService('toy')).toMatchObject({ healthy: true, managed: true })
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
    expect((await mw.chat({ model: 'toy/m', prompt: 'hello' })).text).toContain('hello from')
    const lines = await mw.serviceLogs('toy')
    expect(lines).toContain('the key is [redacted]')
    await mw.stopService('toy')
    expect(await gone(pid)).toBe(true)
  })

  it('is undone when our process is killed', async () => {
    const { folder } = toy({ service: returning, programs: { 'toy-control': control } })
    const { parent, engine, child } = await elsewhere(folder, 'setInterval(() => {}, 1000)')
    process.kill(parent, 'SIGKILL')
    expect(await gone(engine)).toBe(true)
    expect(await gone(child)).toBe(true)
  })
})
