import { ModelwireError } from '../../core/error.ts'

/** What the manifest's templates make for `run: chat`. Absent is not set. */
export interface ChatBody {
  model: string
  /** Text. */
  system?: string
  messages: Message[]
  functions?: FunctionSpec[]
  toolChoice?: { type: string; name?: string }
  parallelCalls?: boolean
  /** A JSON Schema that the text must fit. */
  schema?: Record<string, unknown>
  /** A grammar in llama.cpp's own form (GBNF). */
  grammar?: string
  maxTokens?: number
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  seed?: number
  repeatPenalty?: number
  frequencyPenalty?: number
  presencePenalty?: number
  stop?: string[]
  /** Answers to the same question. */
  n?: number
  /** Tokens that the model may think. */
  thoughtTokens?: number
  /** How to load the model, where it isn't loaded. */
  load?: LoadOptions
}

export interface Message {
  role: 'user' | 'assistant' | 'tool'
  text?: string
  thought?: string
  calls?: { id: string; name: string; arguments: unknown }[]
  results?: { id: string; name?: string; content?: string }[]
  /** Parts that aren't text, by their types. */
  media?: string[]
}

export interface FunctionSpec {
  name: string
  description?: string
  parameters?: Record<string, unknown>
}

/** How a model is loaded: what the call, the runtime's options and the model's own manifest say, the first wins. */
export interface LoadOptions {
  gpu?: unknown
  gpuLayers?: number | 'auto' | 'max'
  contextLength?: number
  /** Answers that are written at once. */
  sequences?: number
  threads?: number
  batchSize?: number
  flashAttention?: boolean
  /** Milliseconds without a call after which the model is unloaded; 0: never. */
  idle?: number
  /** Bytes of main memory that all models may take, as they are reckoned; what is free when absent. */
  memory?: number
  /** Calls that may wait for a sequence. */
  queue?: number
}

export interface EmbedBody {
  model: string
  input: string[]
  dimensions?: number
  load?: LoadOptions
}

export interface RerankBody {
  model: string
  query: string
  documents: string[]
  topN?: number
  load?: LoadOptions
}

/** A whole number above 0, or nothing. Options may come from the environment, as text. */
export function count(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const number = Number(value)
  if (Number.isInteger(number) && number >= 0) return number
  throw new ModelwireError('configuration', `expected a whole number as \`${name}\`, got ${JSON.stringify(value)}`)
}
