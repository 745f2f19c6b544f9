import type { Message, Part } from './request.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other'

/** Token counts with one meaning for all providers. Unknown is absent, never 0. */
export interface Usage {
  /** Everything that was read, cached or not. */
  inputTokens?: number
  /** The part of `inputTokens` that came from a cache. */
  cachedInputTokens?: number
  /** The part of `inputTokens` that was written to a cache. */
  cacheWriteTokens?: number
  /** Everything that was generated, reasoning included. */
  outputTokens?: number
  reasoningTokens?: number
  totalTokens?: number
  /** US dollars, where the provider itself says what the call cost. */
  cost?: number
  /** What the provider sent. */
  raw?: unknown
}

/** Something that would otherwise be lost silently. */
export interface Warning {
  /** The request's field, dotted. */
  field: string
  reason: string
  /** The manifest, with line and column where one line is to blame. */
  where?: string
}

export interface ToolCall {
  id: string
  name: string
  /** Absent when the text isn't a JSON object. */
  arguments?: Record<string, unknown>
  argumentsText: string
  /** `custom`: a tool that takes free text. */
  kind?: 'custom'
}

export interface Source {
  id?: string
  url?: string
  title?: string
  text?: string
}

export interface OutputFile {
  mediaType?: string
  url?: string
  data?: Uint8Array
}

export interface Choice {
  text: string
  reasoning: string
  refusal?: string
  toolCalls: ToolCall[]
  object?: unknown
  /** Can be appended to `messages` as it is. */
  message: Message & { role: 'assistant'; content: Part[] }
  finishReason: FinishReason
  rawFinishReason?: string
  sources?: Source[]
  files?: OutputFile[]
}

export interface RateLimit {
  limit?: number
  remaining?: number
  /** Milliseconds until it is full again. */
  resetMs?: number
}

export interface Timing {
  /** From the call to the first event with content, milliseconds. */
  firstEventMs?: number
  totalMs: number
}

/** What every operation's result says beside its own. */
export interface ResultMeta {
  id?: string
  model: string
  provider: string
  usage: Usage
  /** US dollars, where the provider says it or the manifest knows the prices. */
  cost?: number
  warnings: Warning[]
  timing: Timing
  requestId?: string
  rateLimits?: Record<string, RateLimit>
}

export interface ChatResult extends Choice, ResultMeta {
  /** All of them, when several were asked for; the first stands at the top too. */
  choices: Choice[]
}

export interface EmbedResult extends ResultMeta {
  /** One vector an input, in the input's order. */
  embeddings: number[][]
}

export interface RerankResult extends ResultMeta {
  /** The best first; `index` is the document's place in the request. */
  results: { index: number; score: number }[]
}

export interface ModelInfo {
  id: string
  name?: string
  contextLength?: number
  maxOutputTokens?: number
}
