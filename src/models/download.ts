import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { abortError } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Reply, Transport } from '../wire/call.ts'
import { checkAddress, fetchFile, replyError } from './fetch.ts'
import { takeLock } from './lock.ts'
import { createMeter, type PullProgress } from './meter.ts'
import { openPart, type Origin, type Part } from './part.ts'
import { checkSpace, full } from './space.ts'

/** Where a file comes from. */
export interface Download {
  url: string
  /** In hex. */
  sha256?: string
  /** Bytes. */
  size?: number
}

export interface DownloadOptions {
  http: Transport
  signal?: AbortSignal
  /** Hears at most ten times a second how far it is. */
  onProgress?: (progress: PullProgress) => void
  /** Takes a file whose checksum nobody knows. */
  unchecked?: boolean
  /** Milliseconds without a byte after which the download is given up; 60,000 when absent. */
  idle?: number
}

/** Bytes. No model file is larger. */
const largest = 1e12

/**
 * Fetches a file, so that it has its name only when it is whole and right: what came so far lies beside it as
 * `<file>.part`, and the next run goes on from there. Throws a ModelwireError: `configuration` for an address, a checksum
 * or a disk that won't do, `conflict` while another process fetches it, `protocol` for bytes that are others than said.
 */
export async function download(source: Download, file: string, options: DownloadOptions): Promise<void> {
  checkAddress(source.url)
  if (source.sha256 === undefined && options.unchecked !== true) {
    throw new ModelwireError('configuration', `nothing says whether the right bytes come: ${file} has no sha256 in its manifest`, {
      hint: 'add download.sha256, or accept it unchecked (`--unchecked`)',
    })
  }
  if (options.signal?.aborted === true) throw abortError(options.signal)
  await mkdir(dirname(file), { recursive: true })
  const release = await takeLock(`${file}.lock`, file)
  try {
    if ((await stat(file).catch(() => undefined)) !== undefined) return // somebody was faster
    const part = await openPart(file, source.url, options.signal)
    try {
      await complete(part, source, file, options)
      await verify(part, source, file)
      await part.finish()
    } finally {
      await part.close()
    }
  } catch (error) {
    throw diskError(error, dirname(file))
  } finally {
    await release()
  }
}

/** Fetches what is missing of it, or all of it where the server can't go on in the middle. */
async function complete(part: Part, source: Download, file: string, options: DownloadOptions): Promise<void> {
  const known = source.size ?? part.origin.size
  if (part.bytes > 0 && part.bytes === known) return // whole, and not named yet
  if (known !== undefined) await checkSpace(dirname(file), known - part.bytes)
  const clock = createIdleClock(options.idle ?? 60_000, options.signal)
  try {
    let reply = await ask(part, source, options.http, clock.signal)
    if (part.bytes > 0 && !continues(reply, part, source)) {
      if (reply.status === 206 || reply.status === 416) {
        reply.release()
        await part.restart({ url: source.url })
        reply = await ask(part, source, options.http, clock.signal)
      } else if (reply.status === 200) await part.restart({ url: source.url })
    }
    if (reply.status !== 200 && !continues(reply, part, source)) {
      reply.release()
      throw replyError(reply.status, source.url)
    }
    await take(reply, part, source, file, options, clock.touch)
  } finally {
    clock.stop()
  }
}

async function ask(part: Part, source: Download, http: Transport, signal: AbortSignal): Promise<Reply> {
  const { etag } = part.origin
  const headers = part.bytes === 0 ? {} : { range: `bytes=${part.bytes}-`, ...(isStrong(etag) ? { 'if-range': etag } : {}) }
  return fetchFile(http, source.url, headers, largest, signal)
}

/** RFC 9110, 13.1.5: only a strong tag may say that a range belongs to what one has. */
function isStrong(etag: string | undefined): etag is string {
  return etag?.startsWith('"') === true
}

/** Whether the reply is the rest of exactly the file that the part was begun from. Without a checksum at the end, only a strong tag can say so. */
function continues(reply: Reply, part: Part, { sha256 }: Download): boolean {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(reply.headers['content-range'] ?? '') ?? []
  const { etag, size } = part.origin
  return (
    reply.status === 206 &&
    part.bytes > 0 &&
    Number(start) === part.bytes &&
    (size === undefined || sha256 === undefined ? isStrong(etag) : Number(total) === size) &&
    (etag === undefined || reply.headers['etag'] === undefined || reply.headers['etag'] === etag)
  )
}

async function take(
  reply: Reply,
  part: Part,
  source: Download,
  file: string,
  options: DownloadOptions,
  touch: () => void,
): Promise<void> {
  try {
    const total = totalOf(reply, part)
    if (source.size !== undefined && total !== undefined && total !== source.size)
      throw otherLength(file, `the server offers ${total} bytes`, source.size)
    if ((total ?? 0) > largest) throw otherLength(file, `the server offers ${total} bytes`, largest)
    const size = source.size ?? total
    if (size !== undefined) await checkSpace(dirname(file), size - part.bytes)
    if (part.bytes === 0) await part.restart(originOf(source.url, reply, total))
    const meter = createMeter(file, part.bytes, size, options.onProgress)
    for await (const chunk of reply.body) {
      if (!(chunk instanceof Uint8Array)) throw new ModelwireError('protocol', 'expected bytes, got frames')
      touch()
      if (part.bytes + chunk.byteLength > (size ?? largest)) {
        await part.discard()
        throw otherLength(file, 'more came', size ?? largest)
      }
      await part.append(chunk)
      meter.add(chunk.byteLength)
    }
    meter.end()
    if (size !== undefined && part.bytes < size) throw short(file, part.bytes, size)
  } finally {
    reply.release()
  }
}

/** Bytes of the whole file, as far as the reply says. */
function totalOf({ status, headers }: Reply, part: Part): number | undefined {
  if (status === 206) return Number(/\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1])
  const length = headers['content-length']
  return length === undefined ? undefined : part.bytes + Number(length)
}

function originOf(url: string, { headers: { etag } }: Reply, size: number | undefined): Origin {
  return { url, ...(size === undefined ? {} : { size }), ...(etag === undefined ? {} : { etag }) }
}

async function verify(part: Part, source: Download, file: string): Promise<void> {
  if (source.size !== undefined && part.bytes !== source.size) {
    await part.discard()
    throw otherLength(file, `${part.bytes} came`, source.size)
  }
  if (source.sha256 === undefined) return
  const digest = part.digest()
  if (digest === source.sha256.toLowerCase()) return
  await part.discard()
  throw new ModelwireError('protocol', `the download of ${file} has the sha256 ${digest}, and the manifest says ${source.sha256}`, {
    hint: 'what came is removed; run it again, and if that stays, the manifest means another file',
  })
}

function otherLength(file: string, came: string, wanted: number): ModelwireError {
  return new ModelwireError('protocol', `expected ${wanted} bytes of ${file}, and ${came}`, {
    hint: 'the manifest means another file: compare its size and download.url',
  })
}

function short(file: string, bytes: number, size: number): ModelwireError {
  return new ModelwireError('truncated', `the download of ${file} ended after ${bytes} of ${size} bytes`, {
    hint: 'run it again: it goes on from there',
  })
}

function diskError(error: unknown, folder: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(folder, 'is full')
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new ModelwireError('configuration', `the folder ${folder} can't be written`, {
      hint: 'name another folder in MODELWIRE_MODELS',
      cause: error,
    })
  }
  return error
}

interface IdleClock {
  signal: AbortSignal
  touch(): void
  stop(): void
}

/** Ends a download that says nothing any more; the caller's own signal ends it too. */
function createIdleClock(ms: number, outer: AbortSignal | undefined): IdleClock {
  const controller = new AbortController()
  const ring = (): void => {
    const hint = 'run it again: it goes on from there'
    controller.abort(new ModelwireError('timeout', `no byte came for ${ms} ms`, { phase: 'idle', hint }))
  }
  const abort = (): void => controller.abort(outer === undefined ? undefined : abortError(outer))
  const timer = setTimeout(ring, ms)
  if (outer?.aborted === true) abort()
  outer?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    touch: () => void timer.refresh(),
    stop() {
      clearTimeout(timer)
      outer?.removeEventListener('abort', abort)
    },
  }
}
