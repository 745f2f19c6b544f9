import { statfs } from 'node:fs/promises'
import { ModelwireError } from '../core/error.ts'

/** Left free for others: a disk that is full to its last byte breaks more than a download. */
const reserve = 64 * 1024 * 1024

/** Throws `configuration` when the disk of `folder` has no room for so many more bytes. */
export async function checkSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = Math.max(0, bavail * bsize - reserve)
  if (bytes > free) throw full(folder, `needs ${bytes} bytes, and ${free} are free`)
}

/** The same, found by a write. */
export function full(folder: string, why: string): ModelwireError {
  return new ModelwireError('configuration', `the disk of ${folder} has no room for the download: it ${why}`, {
    hint: 'free some space, or name another folder in MODELWIRE_MODELS',
  })
}
