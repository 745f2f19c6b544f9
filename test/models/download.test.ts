import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { download, type DownloadOptions } from '../../src/models/download.ts'
import type { PullProgress } from '../../src/models/meter.ts'
import { createHttpTransport } from '../../src/transport/http.ts'
import { type Received, serve, type Served } from '../tools/server.ts'
import { failure } from '../tools/failure.ts'

const http = createHttpTransport({ env: {} })
afterAll(() => http.close())

const content = Buffer.alloc(600_000)
for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
const sha256 = createHash('sha256').update(content).digest('hex')

function target(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-pull-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'model.gguf')
}

interface Manner {
  /** Bytes of the file after which the first connection breaks. */
  cutAt?: number
  ranges?: boolean
  etag?: () => string
  bytes?: () => Buffer
}

/** A server of one file, as it may be. */
function fileServer({ cutAt, ranges = true, etag = () => '"one"', bytes = () => content }: Manner = {}): Promise<Served> {
  let answered = 0
  return serve((request, response) => {
    answered += 1
    const whole = bytes()
    const tag = etag()
    const asked = ranges ? /^bytes=(\d+)-$/.exec(request.headers['range'] ?? '')?.[1] : undefined
    const same = request.headers['if-range'] === undefined || request.headers['if-range'] === tag
    const start = asked !== undefined && same ? Number(asked) : 0
    const head: Record<string, string | number> = { 'content-length': whole.length - start, ...(tag === '' ? {} : { etag: tag }) }
    if (start > 0) head['content-range'] = `bytes ${start}-${whole.length - 1}/${whole.length}`
    response.writeHead(start > 0 ? 206 : 200, head)
    if (cutAt !== undefined && answered === 1) return cut(response, whole.subarray(0, cutAt))
    response.end(whole.subarray(start))
  })
}

function cut(response: ServerResponse, bytes: Buffer): void {
  response.write(bytes, () => setTimeout(() => response.destroy(), 50))
}

/** Pulls from a server, with the checksum of `content`. */
function pull(server: Served, file: string, more: Partial<DownloadOptions> = {}): Promise<void> {
  return download({ url: `${server.url}/model.gguf`, sha256 }, file, { http, ...more })
}

function left(file: string): string[] {
  return readdirSync(join(file, '..'))
}

function rangesOf(requests: Received[]): (string | undefined)[] {
  return requests.map(({ headers }) => headers['range'])
}

describe('a download', () => {
  it('arrives whole under its name, and leaves nothing beside it', async () => {
    const server = await fileServer()
    const file = target()
    const heard: PullProgress[] = []
    await pull(server, file, { onProgress: (progress) => heard.push(progress) })
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(left(file)).toEqual(['model.gguf'])
    expect(heard.at(-1)).toMatchObject({ file, bytes: content.length, total: content.length, etaMs: 0 })
    expect(server.requests[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' })
  })

  it('goes on where it was cut', async () => {
    const server = await fileServer({ cutAt: 200_000 })
    const file = target()
    expect(['network', 'truncated']).toContain((await failure(pull(server, file))).kind)
    expect(existsSync(file)).toBe(false)
    expect(statSync(`${file}.part`).size).toBe(200_000)
    const heard: number[] = []
    await pull(server, file, { onProgress: ({ bytes }) => heard.push(bytes) })
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(rangesOf(server.requests)).toEqual([undefined, 'bytes=200000-'])
    expect(server.requests[1]?.headers['if-range']).toBe('"one"')
    expect(Math.min(...heard)).toBeGreaterThan(200_000)
    expect(left(file)).toEqual(['model.gguf'])
  })

  it('goes on by size where the server has no strong tag', async () => {
    const server = await fileServer({ cutAt: 200_000, etag: () => '' })
    const file = target()
    await failure(pull(server, file))
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(rangesOf(server.requests)).toEqual([undefined, 'bytes=200000-'])
  })

  it('starts over where the server knows no ranges', async () => {
    const server = await fileServer({ cutAt: 200_000, ranges: false })
    const file = target()
    await failure(pull(server, file))
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('that nobody checks starts over where the server has no strong tag: the file may be another one of the same size', async () => {
    let bytes = Buffer.alloc(500_000, 1)
    const server = await fileServer({ cutAt: 200_000, etag: () => '', bytes: () => bytes })
    const file = target()
    const unchecked = (): Promise<void> => download({ url: `${server.url}/model.gguf` }, file, { http, unchecked: true })
    await failure(unchecked())
    bytes = Buffer.alloc(500_000, 2)
    await unchecked()
    expect(readFileSync(file).equals(bytes)).toBe(true)
  })

  it.each(['"two"', ''])('starts over where the file was changed meanwhile (tag %s)', async (changed) => {
    let tag = changed === '' ? '' : '"one"'
    let bytes = Buffer.alloc(500_000, 1)
    const server = await fileServer({ cutAt: 200_000, etag: () => tag, bytes: () => bytes })
    const file = target()
    await failure(pull(server, file))
    tag = changed
    bytes = content
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('starts over where the part lost its note', async () => {
    const server = await fileServer()
    const file = target()
    writeFileSync(`${file}.part`, 'whose is this?')
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(rangesOf(server.requests)).toEqual([undefined])
  })

  it('a part that somebody changed is found by the checksum, and removed', async () => {
    const server = await fileServer({ cutAt: 200_000 })
    const file = target()
    await failure(pull(server, file))
    const part = readFileSync(`${file}.part`)
    part[1000] = (part[1000] ?? 0) ^ 1
    writeFileSync(`${file}.part`, part)
    expect((await failure(pull(server, file))).message).toContain('sha256')
    expect(left(file)).toEqual([])
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('with a wrong checksum is an error, and removed', async () => {
    const server = await fileServer({ bytes: () => Buffer.alloc(1000) })
    const file = target()
    const error = await failure(pull(server, file))
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining(sha256) as string })
    expect(left(file)).toEqual([])
  })

  it('of another length than the manifest says is refused before it is fetched', async () => {
    const server = await fileServer()
    const file = target()
    const source = { url: server.url, sha256, size: content.length + 1 }
    const error = await failure(download(source, file, { http }))
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringMatching(/expected 600001 bytes.*600000/) as string })
    expect(existsSync(file)).toBe(false)
  })

  it('that sends more than was said is cut off', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200)
      response.write(content)
      response.end(content)
    })
    const file = target()
    const error = await failure(download({ url: server.url, sha256, size: content.length }, file, { http }))
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining('more came') as string })
    expect(left(file)).toEqual([])
  })

  it('without a known length is proved by its checksum', async () => {
    const server = await serve((_, response) => {
      response.writeHead(200)
      response.write(content.subarray(0, 100_000))
      response.end(content.subarray(100_000))
    })
    const file = target()
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
  })

  it('that the disk has no room for is refused before anything is asked', async () => {
    const server = await fileServer()
    const file = target()
    const error = await failure(download({ url: server.url, sha256, size: 9e11 }, file, { http }))
    expect(error).toMatchObject({ kind: 'configuration', hint: expect.stringContaining('MODELWIRE_MODELS') as string })
    expect(error.message).toMatch(/needs 900000000000 bytes, and \d+ are free/)
    expect(server.requests).toEqual([])
  })

  it('whose checksum nobody knows is refused, unless that is accepted', async () => {
    const server = await fileServer()
    const file = target()
    expect((await failure(download({ url: server.url }, file, { http }))).message).toContain('no sha256')
    expect(server.requests).toEqual([])
    await download({ url: server.url }, file, { http, unchecked: true })
    expect(readFileSync(file).equals(content)).toBe(true)
  })
})

describe('where a download comes from', () => {
  it('redirects are followed, and the range goes along', async () => {
    const store = await fileServer({ cutAt: 200_000 })
    const server = await serve((request, response) => {
      response.writeHead(request.path === '/model.gguf' ? 302 : 307, {
        location: request.path === '/model.gguf' ? '/there' : `${store.url}/blob?signature=abc`,
      })
      response.end()
    })
    const file = target()
    await failure(pull(server, file))
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(rangesOf(store.requests)).toEqual([undefined, 'bytes=200000-'])
  })

  it('a redirect in a circle ends', async () => {
    const server = await serve((_, response) => response.writeHead(302, { location: '/again' }).end())
    const error = await failure(pull(server, target()))
    expect(error).toMatchObject({ kind: 'protocol', message: expect.stringContaining('more than 5 times') as string })
    expect(server.requests).toHaveLength(6)
  })

  it.each(['http://models.example/a.gguf', 'file:///etc/passwd', 'nonsense://'])(
    'a redirect to %s is refused',
    async (location) => {
      const server = await serve((_, response) => response.writeHead(302, { location }).end())
      expect((await failure(pull(server, target()))).kind).toBe('configuration')
    },
  )

  it.each(['http://models.example/a.gguf', 'ftp://models.example/a', 'https://me:secret@models.example/a', 'a.gguf'])(
    '%s is refused',
    async (url) => {
      const error = await failure(download({ url, sha256 }, target(), { http }))
      expect(error.kind).toBe('configuration')
      expect(error.message).not.toContain('secret')
    },
  )

  it.each([
    [404, 'not_found'],
    [403, 'permission_denied'],
    [429, 'rate_limited'],
    [500, 'server_error'],
    [204, 'protocol'],
  ])('an answer of %i is %s', async (status, kind) => {
    const server = await serve((_, response) => response.writeHead(status).end())
    const file = target()
    expect(await failure(pull(server, file))).toMatchObject({ kind, status })
    expect(existsSync(file)).toBe(false)
  })
})

describe('a download that ends early', () => {
  /** Half of the file, then silence. */
  function stalling(): Promise<Served> {
    return serve((_, response) => {
      response.writeHead(200, { 'content-length': content.length, etag: '"one"' })
      response.write(content.subarray(0, 300_000))
    })
  }

  it('by an abort keeps what came', async () => {
    const server = await stalling()
    const file = target()
    const controller = new AbortController()
    const onProgress = (): void => controller.abort(new Error('enough'))
    const error = await failure(pull(server, file, { signal: controller.signal, onProgress }))
    expect(error.kind).toBe('cancelled')
    expect(statSync(`${file}.part`).size).toBeGreaterThan(0)
    expect(left(file)).toEqual(['model.gguf.part', 'model.gguf.part.json'])
    const again = await failure(pull(server, file, { signal: controller.signal }))
    expect(again.kind).toBe('cancelled')
  })

  it('by silence is a timeout', async () => {
    const server = await stalling()
    const file = target()
    expect(await failure(pull(server, file, { idle: 300 }))).toMatchObject({ kind: 'timeout', phase: 'idle' })
    expect(statSync(`${file}.part`).size).toBe(300_000)
  })

  it('keeps a second one of the same file out, and its lock goes with it', async () => {
    const server = await stalling()
    const file = target()
    const controller = new AbortController()
    const begun = Promise.withResolvers<void>()
    const first = failure(pull(server, file, { signal: controller.signal, onProgress: () => begun.resolve() }))
    await begun.promise
    const second = await failure(pull(server, file))
    expect(second).toMatchObject({ kind: 'conflict', message: expect.stringContaining(String(process.pid)) as string })
    controller.abort()
    await first
    expect(existsSync(`${file}.lock`)).toBe(false)
  })

  it('by a kill leaves no file, and the next run takes over its lock and its part', async () => {
    let slow = true
    const server = await serve((request, response) => {
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers['range'] ?? '')?.[1] ?? 0)
      const head = { 'content-length': content.length - start, etag: '"one"' }
      const range = { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }
      response.writeHead(start > 0 ? 206 : 200, start > 0 ? { ...head, ...range } : head)
      if (slow) response.write(content.subarray(0, 250_000))
      else response.end(content.subarray(start))
    })
    const file = target()
    const here = (path: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src', path)).href)
    const script = `
      const { download } = await import(${here('models/download.ts')})
      const { createHttpTransport } = await import(${here('transport/http.ts')})
      const source = ${JSON.stringify({ url: `${server.url}/model.gguf`, sha256 })}
      await download(source, ${JSON.stringify(file)}, { http: createHttpTransport({ env: {} }) })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await expect.poll(() => statSync(`${file}.part`, { throwIfNoEntry: false })?.size, { timeout: 15_000 }).toBe(250_000)
    expect((await failure(pull(server, file))).message).toContain(`the process ${child.pid}`)
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
    expect(existsSync(file)).toBe(false)
    expect(existsSync(`${file}.lock`)).toBe(true)
    slow = false
    await pull(server, file)
    expect(readFileSync(file).equals(content)).toBe(true)
    expect(rangesOf(server.requests)).toEqual([undefined, 'bytes=250000-'])
    expect(left(file)).toEqual(['model.gguf'])
  })
})
