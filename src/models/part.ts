import { createHash, type Hash } from 'node:crypto'
import { open, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { abortError } from '../core/abort.ts'

/** What the part was begun from: only the rest of the same file may follow it. */
export interface Origin {
  url: string
  /** Bytes of the whole file, where known. */
  size?: number
  etag?: string
}

/** A download that isn't whole yet, in `<file>.part`, with what it comes from in `<file>.part.json`. */
export interface Part {
  /** That are there. */
  readonly bytes: number
  readonly origin: Origin
  /** Empties it, and notes what it will be begun from. */
  restart(origin: Origin): Promise<void>
  append(chunk: Uint8Array): Promise<void>
  /** The sha256 of what is there, in hex. */
  digest(): string
  /** Gives it its final name, once it is on the disk. */
  finish(): Promise<void>
  discard(): Promise<void>
  /** Keeps what is there for the next run. */
  close(): Promise<void>
}

/** What an earlier run left is hashed again: it could have been changed since. Without a note of its origin it is no use. */
export async function openPart(file: string, url: string, signal?: AbortSignal): Promise<Part> {
  const path = `${file}.part`
  const note = `${path}.json`
  const known = await readOrigin(note)
  let origin = known?.url === url ? known : { url }
  const handle = await openOrMake(path, origin === known)
  let hash = createHash('sha256')
  let bytes = 0
  try {
    bytes = await rehash(handle, hash, signal)
  } catch (error) {
    await handle.close()
    throw error
  }

  const close = async (): Promise<void> => {
    if (handle.fd === -1) return // closed before
    await handle.sync()
    await handle.close()
  }

  return {
    get bytes() {
      return bytes
    },
    get origin() {
      return origin
    },
    async restart(from) {
      await handle.truncate(0)
      hash = createHash('sha256')
      bytes = 0
      origin = from
      await writeFile(note, JSON.stringify(from))
    },
    async append(chunk) {
      await writeAll(handle, chunk, bytes)
      hash.update(chunk)
      bytes += chunk.byteLength
    },
    digest: () => hash.copy().digest('hex'),
    async finish() {
      await close()
      await rename(path, file)
      await syncFolder(dirname(file))
      await rm(note, { force: true })
    },
    async discard() {
      await close()
      for (const left of leftovers(file)) await rm(left, { force: true })
    },
    close,
  }
}

/** What an unfinished download leaves beside its file. */
export function leftovers(file: string): string[] {
  return [`${file}.part`, `${file}.part.json`]
}

async function openOrMake(path: string, keep: boolean): Promise<FileHandle> {
  if (keep && (await stat(path).catch(() => undefined))?.isFile() === true) return open(path, 'r+')
  return open(path, 'w+')
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, at: number): Promise<void> {
  let written = 0
  while (written < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, written, chunk.byteLength - written, at + written)
    written += bytesWritten
  }
}

async function rehash(handle: FileHandle, hash: Hash, signal: AbortSignal | undefined): Promise<number> {
  const buffer = Buffer.alloc(1 << 20)
  let at = 0
  for (;;) {
    if (signal?.aborted === true) throw abortError(signal)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) return at
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
}

/** A note that can't be read is none: the download begins anew. */
async function readOrigin(note: string): Promise<Origin | undefined> {
  let data: unknown
  try {
    data = JSON.parse(await readFile(note, 'utf8'))
  } catch {
    return undefined
  }
  if (typeof data !== 'object' || data === null || !('url' in data) || typeof data.url !== 'string') return undefined
  return {
    url: data.url,
    ...('size' in data && typeof data.size === 'number' ? { size: data.size } : {}),
    ...('etag' in data && typeof data.etag === 'string' ? { etag: data.etag } : {}),
  }
}

/** The new name, too, must be on the disk. Windows has no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
