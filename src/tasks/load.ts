import { ModelwireError } from '../core/error.ts'
import { readManifest, type Source } from '../manifest/load.ts'
import { format, type Position } from '../manifest/position.ts'
import { taskShape } from '../manifest/shape.ts'
import { checkShape, type Problem } from '../manifest/validate.ts'
import { compileTask, type Task } from './compile.ts'

/** Everything that is wrong with the task in `file`. */
export function checkTask(file: string): Problem[] {
  try {
    return examine(readManifest(file)).problems
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    return [
      {
        where: positionIn(error.where) ?? { file, line: 1, column: 1 },
        message: error.message,
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        severity: 'error',
      },
    ]
  }
}

/** Reads and compiles the task in `file`. Throws its first mistake, as an error of kind `manifest`. */
export function readTask(file: string): Task {
  const { problems, task } = examine(readManifest(file))
  const [first, ...others] = problems.filter(({ severity }) => severity === 'error')
  if (first === undefined && task !== undefined) return task
  const more = others.length > 0 ? ` (and ${others.length} more)` : ''
  throw new ModelwireError('manifest', `${first?.message ?? 'expected a task'}${more}`, {
    where: format(first?.where),
    hint: first?.hint,
  })
}

function examine(source: Source): { problems: Problem[]; task?: Task } {
  const problems = checkShape(source, taskShape())
  if (problems.some(({ severity }) => severity === 'error')) return { problems }
  const task = compileTask(source, (problem) => problems.push(problem))
  return { problems, task }
}

function positionIn(where: string | undefined): Position | undefined {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(where ?? '') ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}
