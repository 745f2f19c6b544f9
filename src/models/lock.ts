import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { ModelwireError } from '../core/error.ts'

/** Those that this process holds: a lock with our number that isn't among them was left by a dead process of the same number. */
const held = new Set<string>()

/** Milliseconds within which a lock without a number is being written just now. */
const writing = 10_000
const tries = 3

/**
 * Makes sure that one process at a time writes what `lock` stands for, and gives what ends that. Throws `conflict` when
 * another one does. A lock of a process that is gone is taken over, so a kill leaves nothing to clear away.
 */
export async function takeLock(lock: string, what: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < tries; attempt++) {
    if (await create(lock)) {
      held.add(lock)
      return async () => {
        held.delete(lock)
        await rm(lock, { force: true })
      }
    }
    const text = await readFile(lock, 'utf8').catch(absent)
    if (text === undefined) continue
    if (await isHeld(lock, text)) throw taken(lock, what, text)
    await putAside(lock, text)
  }
  throw taken(lock, what, '')
}

async function create(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function isHeld(lock: string, text: string): Promise<boolean> {
  const pid = Number(text)
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    const stats = await stat(lock).catch(absent)
    return stats !== undefined && Date.now() - stats.mtimeMs < writing
  }
  return pid === process.pid ? held.has(lock) : isAlive(pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM' // it lives, and is somebody else's
  }
}

/** Of two that find the same stale lock only one may remove it: what was moved is looked at before it goes. */
async function putAside(lock: string, text: string): Promise<void> {
  const aside = `${lock}.${process.pid}`
  try {
    await rename(lock, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  const moved = await readFile(aside, 'utf8').catch(absent)
  if (moved !== undefined && moved !== text) await writeFile(lock, moved, { flag: 'wx' }).catch(ignoreExisting)
  await rm(aside, { force: true })
}

function ignoreExisting(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function taken(lock: string, what: string, pid: string): ModelwireError {
  const who = pid === '' ? 'another process' : `the process ${pid}`
  return new ModelwireError('conflict', `${what} is being downloaded by ${who}`, {
    hint: `wait for it to end; if no such download runs, remove ${lock}`,
  })
}
