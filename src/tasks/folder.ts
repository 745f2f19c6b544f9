import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { isMap } from '../lang/value.ts'
import type { TaskRecord } from './task.ts'

/** A record that was found, and whether the process that made it is gone. */
export interface Kept {
  record: TaskRecord
  lost: boolean
}

/** Records on disk, a file each. */
export interface Folder {
  /** Those of all processes, oldest first; files that hold none are left alone. */
  read(): Kept[]
  /** Says what went wrong: a full disk is no reason to lose an answer. */
  write(record: TaskRecord): string | undefined
  remove(id: string): void
}

/** Told from another process that got the same number later by when it began. */
const owner = { pid: process.pid, since: Math.round(performance.timeOrigin) }

const named = /^task-[\da-f-]{36}\.json$/

/** Throws `configuration` when it can't be made. */
export function createFolder(path: string): Folder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ModelwireError('configuration', `the folder of tasks ${path} can't be made: ${reason}`, { cause: error })
  }
  const fileOf = (id: string): string => join(path, `${id}.json`)
  return {
    read: () =>
      readdirSync(path)
        .filter((name) => named.test(name))
        .flatMap((name) => readRecord(join(path, name)))
        .toSorted((a, b) => a.record.createdAt - b.record.createdAt),
    write: (record) => {
      const unfinished = join(path, `.${record.id}.${process.pid}.part`)
      try {
        writeFileSync(unfinished, JSON.stringify({ ...record, owner }), { mode: 0o600 })
        renameSync(unfinished, fileOf(record.id)) // whole or not at all
        return undefined
      } catch (error) {
        rmSync(unfinished, { force: true })
        return `the task can't be written to disk: ${error instanceof Error ? error.message : String(error)}`
      }
    },
    remove: (id) => rmSync(fileOf(id), { force: true }),
  }
}

function readRecord(file: string): Kept[] {
  let data: unknown
  try {
    data = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    process.emitWarning(`the task ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
  if (!isMap(data) || typeof data['id'] !== 'string' || typeof data['state'] !== 'string') return []
  const { owner: by, ...record } = data
  return [{ record: record as unknown as TaskRecord, lost: !isRunning(by) }] // written by `write`
}

function isRunning(by: unknown): boolean {
  if (!isMap(by) || typeof by['pid'] !== 'number') return false
  if (by['pid'] === owner.pid) return by['since'] === owner.since
  try {
    process.kill(by['pid'], 0) // asks only whether it is there
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' // there, and another user's
  }
}
