import { createFolder, type Kept } from './folder.ts'
import type { TaskFilter, TaskRecord, TaskState } from './task.ts'

/** All tasks that are known: those under way, and the last of those that ended. */
export interface Records {
  /** Adds one, or says what has become of it. What couldn't be written to disk comes back as a sentence. */
  put(record: TaskRecord): string | undefined
  /** How far it has come; too often to be written to disk. */
  progress(id: string, progress: number): void
  get(id: string): TaskRecord | undefined
  /** In the order in which they were made. */
  list(filter?: TaskFilter): TaskRecord[]
  counts(): Record<TaskState, number>
}

/** Tasks that have ended and are still listed. */
const most = 1_000
/** Characters of JSON: of all their results, and of one of them. */
const mostResults = 16 * 1_048_576
const largest = 1_048_576

const live: ReadonlySet<TaskState> = new Set(['queued', 'running', 'repairing'])

export function isLive({ state }: { state: TaskState }): boolean {
  return live.has(state)
}

/** With a folder, each record is a file there, and those of earlier processes are found again. */
export function createRecords(folder: string | undefined): Records {
  const disk = folder === undefined ? undefined : createFolder(folder)
  const records = new Map<string, TaskRecord>()
  const sizes = new Map<string, number>()
  let held = 0

  const hold = (record: TaskRecord): void => {
    held -= sizes.get(record.id) ?? 0
    sizes.delete(record.id)
    if (!('result' in record)) return
    const size = JSON.stringify(record.result)?.length ?? 0
    if (size > largest) return void delete record.result
    sizes.set(record.id, size)
    held += size
  }

  const trim = (): void => {
    const ended = [...records.values()].filter((record) => !isLive(record))
    const surplus = ended.length > most ? ended.toSorted(byEnd).slice(0, ended.length - most) : []
    for (const { id } of surplus) {
      held -= sizes.get(id) ?? 0
      sizes.delete(id)
      records.delete(id)
      disk?.remove(id)
    }
    for (const [id, size] of sizes) {
      if (held <= mostResults) break
      held -= size
      sizes.delete(id)
      delete records.get(id)?.result // still on disk
    }
  }

  for (const { record, lost } of disk?.read() ?? ([] as Kept[])) {
    const found = lost && isLive(record) ? failed(record) : record
    if (found !== record) disk?.write(found)
    records.set(found.id, found)
    hold(found)
  }
  trim()

  return {
    put: (record) => {
      const copy = { ...record }
      records.set(copy.id, copy)
      hold(copy)
      const trouble = disk?.write(copy)
      if (!isLive(copy)) trim()
      return trouble
    },
    progress: (id, progress) => {
      const record = records.get(id)
      if (record !== undefined) record.progress = progress
    },
    get: (id) => {
      const record = records.get(id)
      return record === undefined ? undefined : { ...record }
    },
    list: ({ state, task, modelId } = {}) =>
      [...records.values()]
        .filter((record) => state === undefined || [state].flat().includes(record.state))
        .filter((record) => task === undefined || record.task === task)
        .filter((record) => modelId === undefined || record.modelId === modelId)
        .map(copyOf),
    counts: () => {
      const counts = { queued: 0, running: 0, repairing: 0, succeeded: 0, failed: 0, cancelled: 0 }
      for (const { state } of records.values()) counts[state]++
      return counts
    },
  }
}

/** One that began first may have ended last. */
function byEnd(a: TaskRecord, b: TaskRecord): number {
  return (a.endedAt ?? a.createdAt) - (b.endedAt ?? b.createdAt)
}

/** Who looks at a record can't change it. */
function copyOf(record: TaskRecord): TaskRecord {
  return { ...record }
}

function failed(record: TaskRecord): TaskRecord {
  const message = `The process that ran it ended while it was ${record.state}.`
  return {
    ...record,
    state: 'failed',
    endedAt: Date.now(),
    error: { kind: 'cancelled', code: 'E4002', message, hint: 'start it again' },
  }
}
