/** A conversation's words, one vocabulary for all providers. Source: docs/manifest.md, "The request". */
export type Role = 'system' | 'user' | 'assistant' | 'tool'

/** Bytes, base64 text, a `data:` URL, or the path of a file. */
export type Data = Uint8Array | string

interface Media {
  data?: Data
  url?: string
  /** `image/png`; guessed from the bytes or the file's name when absent. */
  mediaType?: string
  name?: string
  /** Opaque, of a file that a model made: goes back with it. `provider` says whose it is. */
  signature?: string
  provider?: string
}

export interface TextPart {
  type: 'text'
  text: string
  /** Opaque, of a reply's part: goes back with it. `provider` says whose it is. */
  signature?: string
  provider?: string
}
export interface ImagePart extends Media {
  type: 'image'
}
export interface AudioPart extends Media {
  type: 'audio'
}
export interface VideoPart extends Media {
  type: 'video'
}
export interface FilePart extends Media {
  type: 'file'
}
export interface ReasoningPart {
  type: 'reasoning'
  text: string
  signature?: string
  provider?: string
}
export interface ToolCallPart {
  type: 'tool_call'
  id: string
  name: string
  /** The parsed arguments; text where they aren't a JSON object (`kind: custom`). */
  arguments: Record<string, unknown> | string
  kind?: 'custom'
  signature?: string
  provider?: string
}
export interface ToolResultPart {
  type: 'tool_result'
  id: string
  name?: string
  content: string | Part[] | Record<string, unknown>
  failed?: boolean
  /** Of its call; filled in where it isn't given. */
  kind?: 'custom'
}
/** A block that only its own provider reads back. */
export interface RawPart {
  type: 'raw'
  provider: string
  data: unknown
}
export type Part = TextPart | ImagePart | AudioPart | VideoPart | FilePart | ReasoningPart | ToolCallPart | ToolResultPart | RawPart

export interface Message {
  role: Role
  content: string | Part[]
}

export interface Tool {
  name: string
  description?: string
  /** JSON Schema of the arguments. */
  parameters?: Record<string, unknown>
  strict?: boolean
}
/** A tool that the provider runs, in the provider's own words. */
export interface RawTool {
  raw: Record<string, unknown>
}

export type ToolChoice = 'auto' | 'none' | 'required' | { type: 'auto' | 'none' | 'required' } | { type: 'tool'; name: string }

/** All in milliseconds; 0 switches a clock off. */
export interface Timeouts {
  connect?: number
  firstByte?: number
  firstEvent?: number
  idle?: number
  total?: number
}

export interface RetryOptions {
  /** In all, the first one included. */
  attempts?: number
  /** Milliseconds before the first retry (full jitter). */
  base?: number
  /** Milliseconds at most between two attempts. */
  max?: number
}

/** What every operation takes. */
export interface CallOptions {
  /** `provider/model`; everything after the first `/` is the provider's own name. */
  model: string
  /** Merged into the provider's body as it is. */
  extra?: Record<string, unknown>
  /** A provider's named alternative wire. */
  wire?: string
  signal?: AbortSignal
  /** Milliseconds for the whole call, all attempts included. */
  timeout?: number
  timeouts?: Timeouts
  retry?: RetryOptions | false
  strict?: boolean
  /** Headers of this call only. */
  headers?: Record<string, string>
}

export interface ChatRequest extends CallOptions {
  prompt?: string | Part[]
  messages?: Message[]
  system?: string | TextPart[]
  tools?: (Tool | RawTool)[]
  toolChoice?: ToolChoice
  parallelToolCalls?: boolean
  /** A JSON Schema: the reply's `object` is validated against it. */
  output?: Record<string, unknown>
  maxTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  stop?: string | string[]
  seed?: number
  frequencyPenalty?: number
  presencePenalty?: number
  reasoning?: { effort?: string; budgetTokens?: number }
  n?: number
  /** `true`, or how many alternatives a token. */
  logprobs?: boolean | number
  user?: string
  metadata?: Record<string, string>
  cache?: boolean | Record<string, unknown>
}

export interface RerankRequest extends CallOptions {
  query: string
  documents: string[]
  /** How many of the best to give; all when absent. */
  topN?: number
}

export interface EmbedRequest extends CallOptions {
  input: string | string[]
  dimensions?: number
  /** What the vectors are for, in the provider's words (`search_query`, `document`, …). */
  purpose?: string
  user?: string
}
