import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { randomModel } from '../tools/gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'modelwire-end-'))
const file = join(folder, 'random.gguf')
writeFileSync(file, randomModel(4))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const index = new URL('../../src/index.ts', import.meta.url).href
const sum = (): string => createHash('sha256').update(readFileSync(file)).digest('hex')

/** A program of somebody's who uses the library, in a process and a process group of its own. */
function program(text: string): ReturnType<typeof spawn> {
  const script = join(folder, `${text.length}.ts`)
  writeFileSync(
    script,
    `import { createRuntime } from ${JSON.stringify(index)}\nconst model = ${JSON.stringify(`llama/${file}`)}\n${text}\n`,
  )
  return spawn(process.execPath, [script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
}

/** The processes of a group, by what the system says. */
function processesOf(group: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state, , its] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(its) === group && state !== 'Z'
    } catch {
      return false // it ended while we looked
    }
  })
}

describe.skipIf(process.platform !== 'linux')('a process with a model in it', () => {
  it('that is killed in mid-answer leaves no process behind, and its model file as it was', async () => {
    const before = sum()
    const child = program(`
      const mw = createRuntime({ providers: { llama: { gpu: 'cpu', contextLength: 8192 } } })
      for await (const event of mw.stream({ model, prompt: 'Hello' })) if (event.type === 'text') process.stdout.write(event.delta)
    `)
    await once(child.stdout!, 'data')
    expect(processesOf(child.pid!)).toHaveLength(1)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await wait(100)
    expect(processesOf(child.pid!)).toEqual([])
    expect(sum()).toBe(before)
    expect(readdirSync(folder).filter((name) => name.endsWith('.gguf'))).toEqual(['random.gguf'])
  }, 30_000)

  it('that forgets to close ends all the same', async () => {
    const child = program(`
      const { text } = await createRuntime({ providers: { llama: { gpu: 'cpu' } } }).chat({ model, prompt: 'Hello', maxTokens: 5 })
      process.stdout.write(text === '' ? 'nothing' : 'something')
    `)
    const [said] = (await once(child.stdout!, 'data')) as [Buffer]
    expect(said.toString()).toBe('something')
    const [code] = (await once(child, 'exit')) as [number | null]
    expect(code).toBe(0)
  }, 30_000)
})
