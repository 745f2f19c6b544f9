import { readdirSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { didYouMean } from '../manifest/suggest.ts'
import { readTask } from './load.ts'
import type { Task } from './compile.ts'

/** The kinds of tasks that some folders and files hold, read when first asked for. */
export interface TaskCatalog {
  /** Sorted. Throws if a file is broken. */
  all(): Task[]
  /** Throws `invalid_request` for one that nobody has, `manifest` for one that is broken. */
  find(id: string): Task
}

/** How many files a folder may hold. */
const most = 2_000

/** `folders` have their tasks in a subfolder `tasks`; `paths` are files, or folders of tasks. Later ones win. */
export function createTaskCatalog(folders: string[], paths: string[]): TaskCatalog {
  let known: Map<string, Task> | undefined
  const read = (): Map<string, Task> => {
    if (known !== undefined) return known
    const files = [...folders.flatMap((folder) => taskFiles(folder)), ...paths.flatMap(filesAt)]
    const made = files.map(readTask)
    return (known = new Map(made.map((task) => [task.id, task])))
  }
  return {
    all: () => [...read().values()].toSorted((a, b) => a.id.localeCompare(b.id)),
    find: (id) => {
      const task = read().get(id)
      if (task !== undefined) return task
      const ids = [...read().keys()].toSorted()
      throw new ModelwireError(
        'invalid_request',
        `expected a kind of task, got ${typeof id === 'string' ? JSON.stringify(id) + didYouMean(id, ids) : typeof id}`,
        {
          hint: `there are ${ids.join(', ')}; a file of your own goes into a folder \`tasks\` of \`protocols\``,
        },
      )
    },
  }
}

/** The files of tasks that belong to a folder of protocols. */
function taskFiles(folder: string): string[] {
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats?.isDirectory() !== true) return []
  const inner = basename(resolve(folder)) === 'tasks' ? folder : join(folder, 'tasks')
  return statSync(inner, { throwIfNoEntry: false })?.isDirectory() === true ? filesAt(inner) : []
}

function filesAt(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined)
    throw new ModelwireError('configuration', `expected a file or folder of tasks, got "${path}", which doesn't exist`)
  if (!stats.isDirectory()) return [resolve(path)]
  const names = readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
  if (names.length > most)
    throw new ModelwireError('configuration', `expected at most ${most} tasks in "${path}", got ${names.length}`)
  return names.map((name) => resolve(path, name))
}
