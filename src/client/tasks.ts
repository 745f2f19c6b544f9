import { delimiter } from 'node:path'
import { abortError, sleep } from '../core/abort.ts'
import { ModelwireError } from '../core/error.ts'
import type { Ask } from '../tasks/task.ts'
import { bundledProtocols } from '../manifest/catalog.ts'
import { createTaskCatalog } from '../tasks/catalog.ts'
import { createChannel } from '../tasks/channel.ts'
import { createEnding } from '../tasks/ending.ts'
import { buildPrompt } from '../tasks/prompt.ts'
import { createQueue, type Queue } from '../tasks/queue.ts'
import { createRecords, type Records } from '../tasks/records.ts'
import { work } from '../tasks/run.ts'
import { schemaCheck } from '../tasks/schema.ts'
import type {
  InferRequest,
  InferResult,
  InferStream,
  TaskEvent,
  TaskFilter,
  TaskKind,
  TaskPriority,
  TaskRecord,
  TaskState,
} from '../tasks/task.ts'
import type { RuntimeOptions, TaskOptions } from './options.ts'
import { splitModel } from './planning.ts'
import { checkWaits } from './waits.ts'

export { checkTask } from '../tasks/load.ts'
export type {
  InferOptions,
  InferRequest,
  InferResult,
  InferStream,
  JsonSchema,
  TaskEvent,
  TaskFilter,
  TaskKind,
  TaskPriority,
  TaskRecord,
  TaskState,
} from '../tasks/task.ts'

/** Structured tasks: what a runtime can do with them. */
export interface Tasks {
  /** Runs a task to its end. Throws a ModelwireError; kind `output` when the answer, and its repair, don't fit. */
  infer(request: InferRequest): Promise<InferResult>
  /** The same, told as it goes. Throws at once what `infer` would throw before anything is sent. */
  inferStream(request: InferRequest): InferStream
  /** Tasks under way and the last 1,000 that ended, in the order in which they were made. */
  listTasks(filter?: TaskFilter): TaskRecord[]
  getTask(id: string): TaskRecord | undefined
  /** Whether there was something to cancel. */
  cancelTask(id: string): boolean
  /** The kinds of tasks that there are. */
  taskKinds(): TaskKind[]
}

/** Tasks, and what only the runtime needs of them. */
export interface TaskRoom {
  tasks: Tasks
  /** For `metrics()`. */
  counts(): TaskCounts
  /** Cancels what is under way and waits until it has ended, or for so long as that may take; no more is taken. */
  close(): Promise<void>
}

export interface TaskCounts extends Record<TaskState, number> {
  /** Waiting for their turn, and having it. */
  waiting: number
  active: number
}

/** Milliseconds that a cancelled task gets to end before the runtime closes regardless. */
const patience = 5_000

/** A task under way. */
interface Live {
  controller: AbortController
  ended: Promise<unknown>
}

const priorities: Record<string, number> = { low: -1, normal: 0, high: 1 }

/** Nothing is read before the first task. Throws `configuration` for options that can't be. */
export function createTasks(options: RuntimeOptions, env: Record<string, string | undefined>, ask: Ask): TaskRoom {
  const { folder, paths = [], concurrency = 4, queue: bound = 1_000 } = checkOptions(options.tasks)
  const named = (env['MODELWIRE_PROTOCOLS'] ?? '').split(delimiter).filter((path) => path !== '')
  const catalog = createTaskCatalog([bundledProtocols, ...named, ...[options.protocols ?? []].flat()], [paths].flat())
  const live = new Map<string, Live>()
  let closed = false
  let made: { records: Records; queue: Queue } | undefined
  const room = (): { records: Records; queue: Queue } =>
    (made ??= { records: createRecords(folder), queue: createQueue(concurrency, bound) })

  const inferStream = (asked: InferRequest): InferStream => {
    if (closed) throw cancelled('The runtime is closed.')
    const task = catalog.find(asked.task)
    splitModel(asked.modelId)
    checkWaits(asked.options ?? {}, 'invalid_request', 'options.')
    const prompt = buildPrompt(task, asked)
    const check = schemaCheck(prompt.output, 'outputSchema')
    const priority = priorityOf(asked.options?.priority)
    const { records, queue } = room()
    queue.expectRoom()

    const started = performance.now()
    const controller = new AbortController()
    const { signal, stop } = createEnding(controller, asked.options?.signal, asked.options?.timeout ?? task.defaults.timeout)
    const record: TaskRecord = {
      id: `task-${crypto.randomUUID()}`,
      task: task.id,
      modelId: asked.modelId,
      state: 'queued',
      progress: 0,
      priority,
      createdAt: Date.now(),
      attempts: 0,
    }
    const channel = createChannel()
    let trouble = records.put(record)
    const change = (more: Partial<TaskRecord>): void => {
      trouble = records.put(Object.assign(record, more)) ?? trouble
    }
    const emit = (event: TaskEvent): void => {
      channel.push(event)
      if (event.type === 'state') change({ state: event.state, attempts: event.attempt })
      else if (event.type === 'progress') records.progress(record.id, (record.progress = Math.max(record.progress, event.progress)))
    }

    const run = async (): Promise<InferResult> => {
      let leave: (() => void) | undefined
      try {
        channel.push({ type: 'state', state: 'queued', attempt: 0 })
        leave = await queue.enter(priority, signal)
        const queuedMs = performance.now() - started
        record.startedAt = Date.now()
        const { value, usage, warnings, firstEventMs } = await work({ task, asked, prompt, check, ask, signal, emit })
        channel.push({ type: 'progress', progress: 1 })
        change({ state: 'succeeded', progress: 1, endedAt: Date.now(), result: value })
        channel.push({ type: 'state', state: 'succeeded', attempt: record.attempts })
        channel.push({ type: 'result', result: value })
        channel.end()
        return {
          taskId: record.id,
          modelId: asked.modelId,
          result: value,
          usage,
          timing: { queuedMs, totalMs: performance.now() - started, ...(firstEventMs === undefined ? {} : { firstEventMs }) },
          warnings: [...warnings, ...(trouble === undefined ? [] : [{ field: 'tasks.folder', reason: trouble }])],
        }
      } catch (caught) {
        const error = signal.aborted ? abortError(signal) : caught
        const state = error instanceof ModelwireError && error.kind === 'cancelled' ? 'cancelled' : 'failed'
        change({ state, endedAt: Date.now(), error: told(error) })
        channel.push({ type: 'state', state, attempt: record.attempts })
        channel.end(error)
        throw error
      } finally {
        leave?.()
        stop()
        live.delete(record.id)
      }
    }

    const result = run()
    const ended = result.catch(() => undefined) // who listens to the events alone gets it there, and it stands in the record
    live.set(record.id, { controller, ended })
    return {
      taskId: record.id,
      result,
      [Symbol.asyncIterator]: () => channel.listen(() => controller.abort(cancelled('The consumer left the task before its end.'))),
    }
  }

  const cancelTask = (id: string): boolean => {
    const controller = live.get(id)?.controller
    if (controller === undefined || controller.signal.aborted) return false
    controller.abort(cancelled('The task was cancelled.'))
    return true
  }

  return {
    tasks: {
      infer: async (asked) => inferStream(asked).result,
      inferStream,
      listTasks: (filter) => room().records.list(filter),
      getTask: (id) => room().records.get(id),
      cancelTask,
      taskKinds: () => catalog.all().map(kindOf),
    },
    counts: () => ({ ...room().records.counts(), waiting: room().queue.waiting, active: room().queue.running }),
    close: async () => {
      closed = true
      const under = [...live.values()]
      for (const { controller } of under) controller.abort(cancelled('The runtime was closed.'))
      const over = new AbortController()
      const waited = sleep(patience, over.signal).catch(() => undefined) // all have ended before that
      await Promise.race([waited, Promise.all(under.map(({ ended }) => ended))])
      over.abort()
    },
  }
}

/** What its users see of a task: no closures. */
function kindOf({ id, name, docs, input, output, accepts, file }: TaskKind): TaskKind {
  return { id, name, ...(docs === undefined ? {} : { docs }), input, output, accepts, file }
}

function cancelled(message: string): ModelwireError {
  return new ModelwireError('cancelled', message)
}

function told(error: unknown): NonNullable<TaskRecord['error']> {
  if (!(error instanceof ModelwireError)) return { kind: 'server_error', code: 'E9999', message: String(error) }
  const { kind, code, message, hint } = error
  return { kind, code, message, ...(hint === undefined ? {} : { hint }) }
}

function priorityOf(priority: TaskPriority = 'normal'): number {
  const value = typeof priority === 'string' && Object.hasOwn(priorities, priority) ? priorities[priority] : priority
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new ModelwireError(
    'invalid_request',
    `expected low, normal, high or a number as \`options.priority\`, got ${shown(priority)}`,
  )
}

function checkOptions(options: TaskOptions = {}): TaskOptions {
  const { folder, paths = [], concurrency, queue } = options
  if (folder !== undefined && (typeof folder !== 'string' || folder === '')) throw wrong('folder', 'a path', folder)
  for (const path of [paths].flat()) if (typeof path !== 'string' || path === '') throw wrong('paths', 'paths', path)
  atLeast(concurrency, 1, 'concurrency')
  atLeast(queue, 0, 'queue')
  return options
}

function atLeast(value: unknown, least: number, name: keyof TaskOptions): void {
  if (value === undefined || (Number.isInteger(value) && Number(value) >= least)) return
  throw wrong(name, `a whole number of at least ${least}`, value)
}

function wrong(name: keyof TaskOptions, expected: string, got: unknown): ModelwireError {
  return new ModelwireError('configuration', `expected ${expected} as \`tasks.${name}\`, got ${shown(got)}`)
}

/** As far as it can be written whatever it is. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return typeof value === 'number' || value === null ? String(value) : typeof value
}
