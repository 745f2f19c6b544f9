import type { Event } from '../core/event.ts'
import type { CallOptions, ChatRequest } from '../core/request.ts'
import type { ChatResult, Timing, Usage, Warning } from '../core/result.ts'

/** A JSON Schema. */
export type JsonSchema = Record<string, unknown>

/** A kind of task, as its file describes it. */
export interface TaskKind {
  id: string
  name: string
  docs?: string
  /** JSON Schema of what it takes. */
  input: JsonSchema
  /** JSON Schema of what it gives. */
  output: JsonSchema
  /** Kinds of media that it takes. */
  accepts: string[]
  /** Its file. */
  file: string
}

export type TaskState = 'queued' | 'running' | 'repairing' | 'succeeded' | 'failed' | 'cancelled'

/** Higher goes first; `low` is -1, `normal` 0, `high` 1. */
export type TaskPriority = number | 'low' | 'normal' | 'high'

export interface InferOptions extends Omit<CallOptions, 'model'>, Pick<ChatRequest, 'temperature' | 'topP' | 'maxTokens' | 'seed'> {
  priority?: TaskPriority
}

export interface InferRequest {
  /** `provider/model`. */
  modelId: string
  /** The id of a kind of task. */
  task: string
  input: Record<string, unknown>
  /** Replaces the task's own schema of the result. */
  outputSchema?: JsonSchema
  options?: InferOptions
}

export interface InferResult {
  taskId: string
  modelId: string
  /** Fits the schema and the task's checks. */
  result: unknown
  /** The sum over both attempts. */
  usage: Usage
  /** `queuedMs`: until it had its turn; `totalMs` counts that too. */
  timing: Timing & { queuedMs: number }
  warnings: Warning[]
}

/** What became of one task. */
export interface TaskRecord {
  id: string
  task: string
  modelId: string
  state: TaskState
  /** 0 to 1. While a model writes nobody knows how much is to come, so it only nears the end. */
  progress: number
  priority: number
  /** Milliseconds since the epoch. */
  createdAt: number
  startedAt?: number
  endedAt?: number
  /** Calls of the model: 1, or 2 after a repair. */
  attempts: number
  error?: { kind: string; code: string; message: string; hint?: string }
  /** Absent, too, when it was too large to be kept. */
  result?: unknown
}

export interface TaskFilter {
  state?: TaskState | TaskState[]
  task?: string
  modelId?: string
}

export type TaskEvent =
  | { type: 'state'; state: TaskState; attempt: number }
  | { type: 'progress'; progress: number }
  /** The model's own words. A repair begins from nothing, after the state `repairing`. */
  | { type: 'text'; delta: string }
  /** As much of the result as has come: unchecked, its last text or number may be cut. */
  | { type: 'partial'; value: unknown; complete: false }
  | { type: 'result'; result: unknown }

/**
 * A task under way, which doesn't wait for who watches it. It can be iterated once; leaving its loop cancels it. For one who is
 * slow, or comes late, the texts since the last state are joined, and of `progress` and `partial` the newest is kept.
 */
export interface InferStream extends AsyncIterable<TaskEvent> {
  readonly taskId: string
  readonly result: Promise<InferResult>
}

/** How a model is called. */
export type Ask = (request: ChatRequest) => AsyncIterable<Event> & { readonly result: Promise<ChatResult> }
