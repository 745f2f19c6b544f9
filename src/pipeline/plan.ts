import type { Pattern } from '../lang/pattern.ts'
import type { Eval, Roots } from '../lang/value.ts'
import type { Endings } from './accumulate.ts'
import type { SseOptions } from './decode/sse.ts'
import type { Memory } from './learn.ts'
import type { Rules } from './rules.ts'
import type { SplitOptions } from './split.ts'
import type { Special } from './words.ts'

export type DecoderName = 'sse' | 'ndjson' | 'json' | 'bytes' | 'none'

/** What proves that a stream is complete: any of these. */
export interface Completion {
  done: boolean
  finish: boolean
  end: boolean
  when: Pattern[]
}

/** How an operation's reply is read; compiled once from the manifest. */
export interface ReadPlan {
  decode: { name: DecoderName; options: SseOptions }
  select: Eval | undefined
  rules: Rules
  split: SplitOptions | undefined
  complete: Completion
  /** Words that rules compare with, and what was learnt of frames; see learn.ts. */
  special: Special
  memory: Memory
}

export interface ReadInput {
  /** The reply's headers, names in lower case. */
  headers: Record<string, string>
  roots: Roots
  endings: Endings
  /** Bytes that one event may have. */
  limit: number
  streamed: boolean
  /** Whether the body's end proves that it is whole: one that just stops with its connection may have been cut. */
  framed: boolean
  /** Whether frames may be read by the shape of those before them. */
  learn: boolean
}
