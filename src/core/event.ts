import type { Usage, FinishReason, Warning } from './result.ts'

/**
 * What a stream says, in order. With several choices each event carries `choice`; with several blocks, `index`.
 * `signature` is an opaque token that only its own provider reads; it must go back with the part that bore it.
 */
export type Event =
  | StartEvent
  | TextEvent
  | ReasoningEvent
  | RefusalEvent
  | ToolCallStartEvent
  | ToolCallDeltaEvent
  | ToolCallEvent
  | SourceEvent
  | FileEvent
  | AudioEvent
  | RawEvent
  | EmbeddingEvent
  | ScoreEvent
  | SegmentEvent
  | ProgressEvent
  | ModelEvent
  | UsageEvent
  | WarningEvent
  | FinishEvent
  | ErrorEvent

interface Placed {
  /** Which of several choices this belongs to; absent is the first. */
  choice?: number
  /** The provider's number of the block, where it has one. */
  index?: number
}

/** Once, before anything else. */
export interface StartEvent {
  type: 'start'
  id?: string
  model?: string
}
export interface TextEvent extends Placed {
  type: 'text'
  delta: string
  signature?: string
}
export interface ReasoningEvent extends Placed {
  type: 'reasoning'
  delta?: string
  signature?: string
}
export interface RefusalEvent extends Placed {
  type: 'refusal'
  delta: string
}
/** A call whose name is known; its arguments follow. */
export interface ToolCallStartEvent extends Placed {
  type: 'tool_call_start'
  id: string
  name: string
}
/** A piece of the arguments' text. */
export interface ToolCallDeltaEvent extends Placed {
  type: 'tool_call_delta'
  id: string
  delta: string
}
/** The whole call, exactly once. `arguments` is absent when their text isn't a JSON object. */
export interface ToolCallEvent extends Placed {
  type: 'tool_call'
  id: string
  name: string
  arguments?: Record<string, unknown>
  argumentsText: string
  /** `custom`: a tool that takes free text. */
  kind?: 'custom'
  signature?: string
}
/** Something the answer rests on: a web page, a document, a place in one. */
export interface SourceEvent extends Placed {
  type: 'source'
  id?: string
  url?: string
  title?: string
  text?: string
}
/** A file that the model made. `data` is base64. */
export interface FileEvent extends Placed {
  type: 'file'
  mediaType?: string
  url?: string
  data?: string
  signature?: string
}
export interface AudioEvent extends Placed {
  type: 'audio'
  data: string | Uint8Array
  mediaType?: string
  text?: string
}
/** A block that only its own provider reads back: provider-run tools, redacted reasoning. */
export interface RawEvent extends Placed {
  type: 'raw'
  data: unknown
}
export interface EmbeddingEvent {
  type: 'embedding'
  index?: number
  vector: number[]
}
export interface ScoreEvent {
  type: 'score'
  index: number
  score: number
}
export interface SegmentEvent {
  type: 'segment'
  text: string
  start?: number
  end?: number
}
export interface ProgressEvent {
  type: 'progress'
  status?: string
  /** From 0 to 1; of all parts that are known so far. */
  fraction?: number
  /** How much of `part` is done, and how much there is of it: bytes, percent, steps. */
  completed?: number
  total?: number
  /** Which of several parts (files, layers). */
  part?: string
}
/** One model of a provider's list. */
export interface ModelEvent {
  type: 'model'
  id: string
  name?: string
  /** Tokens. */
  contextLength?: number
  maxOutputTokens?: number
}
/** After `finish`, once. */
export interface UsageEvent extends Usage {
  type: 'usage'
}
export interface WarningEvent extends Warning {
  type: 'warning'
}
/** Exactly one a choice, after everything but `usage`. */
export interface FinishEvent {
  type: 'finish'
  choice?: number
  reason: FinishReason
  rawReason?: string
}
/** How a stream that failed looks when it is written down (`--events`); an iteration throws the error instead. */
export interface ErrorEvent {
  type: 'error'
  error: Record<string, unknown>
}

export type EventType = Event['type']
