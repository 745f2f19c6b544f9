import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { randomModel } from '../tools/gguf.ts'
import { serve, type Served } from '../tools/server.ts'
import { folder, jsonLines, modelwire, type Ran } from './run.ts'

const content = Buffer.from(randomModel(1, { layers: 3, width: 96 }))
const sha256 = createHash('sha256').update(content).digest('hex')

/** Gives the file, from where it is asked; with `holdAt` it stops there until it is released. */
async function store(holdAt?: number): Promise<Served & { release(): void }> {
  let held = holdAt !== undefined
  const server = await serve((request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers['range'] ?? '')?.[1] ?? 0)
    const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      etag: '"one"',
      ...(start > 0 ? range : {}),
    })
    if (held) response.write(content.subarray(start, holdAt))
    else response.end(content.subarray(start))
  })
  return Object.assign(server, { release: () => void (held = false) })
}

interface Place {
  protocols: string
  models: string
  /** Where `tiny` would lie. */
  file: string
  run(args: string[], meanwhile?: (child: ChildProcess) => void): Promise<Ran>
}

/** A folder of manifests with the manifest of a model, an empty folder of models of one's own, and nothing else at home. */
function place(manifest: string): Place {
  const protocols = folder()
  const models = folder()
  mkdirSync(join(protocols, 'models'))
  writeFileSync(join(protocols, 'models', 'tiny.yaml'), manifest)
  const env = { MODELWIRE_MODELS: models, HOME: folder() }
  return {
    protocols,
    models,
    file: join(protocols, 'models', 'tiny.gguf'),
    run: (args, meanwhile) =>
      modelwire(['models', ...args, '--protocols', protocols], { env, cwd: protocols, ...(meanwhile ? { meanwhile } : {}) }),
  }
}

function manifestOf(server: Served, hash: string | null = sha256): string {
  const checksum = hash === null ? '' : `, sha256: "${hash}"`
  return `id: tiny\nname: Tiny\nfile: tiny.gguf\nsize: ${content.length}\ndownload: { url: "${server.url}/tiny.gguf"${checksum} }\n`
}

/** Pulls until 300,000 bytes are there, and ends it so. */
async function stopped(run: Place['run'], file: string, signal: NodeJS.Signals): Promise<Ran> {
  const part = (): number | undefined => statSync(`${file}.part`, { throwIfNoEntry: false })?.size
  let killed: Promise<void> | undefined
  const ran = await run(['pull', 'tiny'], (child) => {
    killed = vi.waitFor(() => expect(part()).toBe(300_000), { timeout: 15_000 }).then(() => void child.kill(signal))
  })
  await killed
  return ran
}

describe('a model that can be fetched', () => {
  it('is listed, pulled, listed as present, and removed', async () => {
    const server = await store()
    const { run, file } = place(manifestOf(server))
    expect((await run(['list', 'llama'])).stdout).toMatch(/llama\/tiny +Tiny +[\d.]+ MB +not pulled/)

    const pulled = await run(['pull', 'tiny'])
    expect(pulled).toMatchObject({ status: 0, stdout: expect.stringMatching(/^tiny is there: .*tiny\.gguf\n$/) as string })
    expect(pulled.stderr).toContain('tiny.gguf: ')
    expect(pulled.stderr).toContain('100 %')
    expect(pulled.stderr).not.toContain('\u001B')
    expect(readFileSync(file).equals(content)).toBe(true)

    expect((await run(['pull', 'llama/tiny'])).stdout).toContain('tiny is there already')
    expect(server.requests).toHaveLength(1)
    const [listed] = jsonLines((await run(['list', 'llama', '--json'])).stdout) as unknown as Record<string, unknown>[][]
    expect(listed?.find(({ id }) => id === 'tiny')).toMatchObject({ provider: 'llama', present: true, size: content.length, file })

    const asked = await run(['rm', 'tiny'])
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining('--yes') as string })
    expect(existsSync(file)).toBe(true)
    expect(await run(['rm', 'tiny', '--yes'])).toMatchObject({ status: 0, stdout: expect.stringContaining('is deleted') as string })
    expect(existsSync(file)).toBe(false)
    expect(await run(['rm', 'tiny', '--yes'])).toMatchObject({ status: 1 })
  })

  it('as JSON: one object, or a line a step', async () => {
    const { run, file } = place(manifestOf(await store()))
    const events = jsonLines((await run(['pull', 'tiny', '--events'])).stdout)
    expect(events.at(-1)).toMatchObject({
      type: 'progress',
      part: 'tiny.gguf',
      completed: content.length,
      total: content.length,
      fraction: 1,
    })
    expect(jsonLines((await run(['pull', 'tiny', '--json'])).stdout)).toMatchObject([{ id: 'tiny', present: true, file }])
  })

  it('interrupted, says so, and goes on when it is pulled again', async () => {
    const server = await store(300_000)
    const { run, file } = place(manifestOf(server))
    const ended = await stopped(run, file, 'SIGINT')
    expect(ended).toMatchObject({ status: 130, stderr: expect.stringContaining('run it again to resume') as string })
    expect(existsSync(file)).toBe(false)
    server.release()
    expect((await run(['pull', 'tiny'])).status).toBe(0)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(server.requests.map(({ headers }) => headers['range'])).toEqual([undefined, 'bytes=300000-'])
  })

  it('killed in the middle, leaves no file that could be used, and goes on when it is pulled again', async () => {
    const server = await store(300_000)
    const { run, file } = place(manifestOf(server))
    await stopped(run, file, 'SIGKILL')
    expect(existsSync(file)).toBe(false)
    expect((await run(['list', 'llama'])).stdout).toMatch(/llama\/tiny .*not pulled/)
    server.release()
    expect((await run(['pull', 'tiny'])).status).toBe(0)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(server.requests.map(({ headers }) => headers['range'])).toEqual([undefined, 'bytes=300000-'])
  })

  it('with another checksum than its manifest says is an error, and nothing is kept', async () => {
    const { run, file } = place(manifestOf(await store(), '0'.repeat(64)))
    const ran = await run(['pull', 'tiny'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toContain(sha256)
    expect(existsSync(file)).toBe(false)
    expect(existsSync(`${file}.part`)).toBe(false)
  })

  it('without a checksum is refused, unless that is accepted', async () => {
    const { run, file } = place(manifestOf(await store(), null))
    expect(await run(['pull', 'tiny'])).toMatchObject({ status: 1, stderr: expect.stringContaining('--unchecked') as string })
    expect(existsSync(file)).toBe(false)
    expect((await run(['pull', 'tiny', '--unchecked'])).status).toBe(0)
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('that is gone from its server is an error in one sentence', async () => {
    const server = await serve((_, response) => response.writeHead(404).end())
    const { run } = place(manifestOf(server))
    const ran = await run(['pull', 'tiny'])
    expect(ran.status).toBe(1)
    expect(ran.stderr).toMatch(/^error: .*404.*\n +hint: .*\n/)
  })
})

describe('what can be asked', () => {
  it('a mistake in the manifest of a model has its line and the nearest key', async () => {
    const files = folder({ 'wrong.yaml': 'id: wrong\nfile: wrong.gguf\nsize: -1\ncapabilites: [chat]\n' })
    const { protocols } = place('id: tiny\nfile: tiny.gguf\n')
    const good = await modelwire(['validate', protocols])
    expect(good).toMatchObject({ status: 0, stdout: expect.stringContaining('no mistakes in 1 manifest') as string })
    const { status, stdout } = await modelwire(['validate', join(files, 'wrong.yaml')])
    expect(status).toBe(1)
    expect(stdout).toMatch(/wrong\.yaml:3:1: expected/)
    expect(stdout).toMatch(/wrong\.yaml:4:1: .*did you mean "capabilities"/)
  })

  it('a model that nobody knows names the nearest', async () => {
    const { run } = place(manifestOf(await store()))
    for (const command of ['pull', 'show', 'rm']) {
      const ran = await run([command, 'tinny'])
      expect(ran.status).toBe(1)
      expect(ran.stderr).toContain('did you mean "tiny"?')
    }
    expect((await run(['show', 'llama/tinny'])).stderr).toContain('did you mean "tiny"?')
  })

  it('a file shows what it says of itself, what it needs, and whether it fits', async () => {
    const { run, protocols } = place(manifestOf(await store()))
    writeFileSync(join(protocols, 'x.gguf'), content)
    const { status, stdout } = await run(['show', './x.gguf'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/architecture +llama, 3 layers, width 96, 3 heads/)
    expect(stdout).toMatch(/trained for +32768 tokens/)
    expect(stdout).toMatch(/needs +\d+(\.\d+)? MB of memory, for .* of 8192 tokens/)
    expect(stdout).toMatch(/fits here +yes/)
    const [json] = jsonLines((await run(['show', 'llama/./x.gguf', '--json'])).stdout)
    expect(json).toMatchObject({ header: { architecture: 'llama', contextLength: 32_768 }, fit: { contextLength: 8192 } })
  })

  it('a model that isn’t pulled shows its manifest, and how to get it', async () => {
    const { run } = place(manifestOf(await store()))
    const { status, stdout } = await run(['show', 'llama/tiny'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/manifest +models\/tiny\.yaml:1:1/)
    expect(stdout).toMatch(/get it +modelwire models pull tiny/)
  })

  it('a file that was cut short says how much is missing', async () => {
    const { run, protocols } = place(manifestOf(await store()))
    writeFileSync(join(protocols, 'cut.gguf'), content.subarray(0, -1000))
    const { status, stderr } = await run(['show', './cut.gguf'])
    expect(status).toBe(1)
    expect(stderr).toMatch(/1000 bytes are missing/)
  })

  it('a file in the folder of models is listed without a manifest, a broken one too', async () => {
    const { run, models } = place(manifestOf(await store()))
    writeFileSync(join(models, 'mine.gguf'), content)
    writeFileSync(join(models, 'broken.gguf'), 'nonsense')
    const { status, stdout } = await run(['list', 'llama'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/llama\/mine\.gguf +random-1 +[\d.]+ MB +f32 +present/)
    expect(stdout).toMatch(/llama\/broken\.gguf .*broken: /)
    expect((await run(['rm', 'mine.gguf', '--yes'])).status).toBe(0)
    expect(existsSync(join(models, 'mine.gguf'))).toBe(false)
  })

  it('the model of the package is the default one, and is not removed', async () => {
    const { run } = place(manifestOf(await store()))
    const [listed] = jsonLines((await run(['list', 'llama', '--json'])).stdout) as unknown as Record<string, unknown>[][]
    expect(listed?.filter((model) => model.default === true).map(({ id }) => id)).toEqual(['pocket'])
    const ran = await run(['rm', 'pocket', '--yes'])
    expect(ran).toMatchObject({ status: 1, stdout: '' })
    expect(ran.stderr).toMatch(/pocket.* lies outside the folders of models/)
  })

  it('a file outside of all folders of models is not removed', async () => {
    const { run, protocols } = place(manifestOf(await store()))
    const file = join(protocols, 'x.gguf')
    writeFileSync(file, content)
    expect((await run(['rm', './x.gguf', '--yes'])).status).toBe(1)
    expect(existsSync(file)).toBe(true)
  })
})
