import type { Event } from '../core/event.ts'
import type { FinishReason } from '../core/result.ts'

/**
 * What rules say about a frame, before it is made into events: most are events already; the rest are for accumulate.
 */
export type Speech =
  | Exclude<Event, { type: 'tool_call_start' | 'tool_call_delta' | 'tool_call' | 'usage' | 'finish' | 'error' }>
  | ToolSpeech
  | { type: 'end'; choice?: number; index?: number }
  | { type: 'usage'; raw: unknown; merge?: boolean }
  | { type: 'finish'; choice?: number; raw: unknown; reason?: FinishReason }
  | { type: 'error'; body: unknown }

/** Whether it replaces the one of its kind before it: of such, only the last counts. */
export function isReplaced(speech: Speech): boolean {
  return speech.type === 'usage' && speech.merge !== true
}

/** What one frame says about a call. */
export interface ToolSpeech {
  type: 'tool'
  choice?: number
  index?: number
  id?: string
  name?: string
  /** A piece of the arguments' text. */
  delta?: unknown
  /** The arguments, whole: replaces what came before and closes the call. */
  arguments?: unknown
  /** A place in the arguments, and what stands there (text is appended to text). */
  path?: string
  value?: unknown
  done?: boolean
  kind?: 'custom'
  signature?: string
  /** A call that the provider runs itself: its block as it begins. What comes of it is no call but a `raw`, said when it closes. */
  block?: Record<string, unknown>
  /** The key of `block` that holds the arguments. */
  into?: string
}

/** The fields of each kind that rules may set, and which of them must not all be blank for it to be said. */
export const speechFields: Record<string, { fields: readonly string[]; payload: readonly string[] }> = {
  start: { fields: ['id', 'model'], payload: ['id', 'model'] },
  text: { fields: ['delta', 'signature', 'index'], payload: ['delta', 'signature'] },
  reasoning: { fields: ['delta', 'signature', 'index'], payload: ['delta', 'signature'] },
  refusal: { fields: ['delta', 'index'], payload: ['delta'] },
  tool: {
    fields: ['index', 'id', 'name', 'delta', 'arguments', 'path', 'value', 'done', 'kind', 'signature', 'block', 'into'],
    payload: ['id', 'name', 'delta', 'arguments', 'path', 'value', 'done', 'signature', 'block'],
  },
  end: { fields: ['index'], payload: [] },
  source: { fields: ['id', 'url', 'title', 'text', 'index'], payload: ['id', 'url', 'title', 'text'] },
  file: { fields: ['mediaType', 'url', 'data', 'signature', 'index'], payload: ['url', 'data'] },
  audio: { fields: ['data', 'mediaType', 'text', 'index'], payload: ['data', 'text'] },
  embedding: { fields: ['index', 'vector'], payload: ['vector'] },
  score: { fields: ['index', 'score'], payload: ['score'] },
  segment: { fields: ['text', 'start', 'end'], payload: ['text'] },
  progress: { fields: ['status', 'fraction', 'completed', 'total', 'part'], payload: ['status', 'fraction', 'completed'] },
  model: { fields: ['id', 'name', 'contextLength', 'maxOutputTokens'], payload: ['id'] },
  raw: { fields: ['data', 'index'], payload: ['data'] },
  warning: { fields: ['field', 'reason'], payload: ['reason'] },
  usage: { fields: ['raw', 'merge'], payload: ['raw'] },
  finish: { fields: ['raw', 'reason'], payload: ['raw'] },
  error: { fields: ['body'], payload: ['body'] },
}
