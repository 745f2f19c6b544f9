import { ModelwireError } from './error.ts'
import type { ChatRequest, EmbedRequest, RerankRequest, Part, RawTool, Tool, ToolCallPart, ToolChoice } from './request.ts'
import type { Warning } from './result.ts'

/** A request as templates see it: `$` at the root of query, headers and body. */
export type NormalRequest = Record<string, unknown> & { model: string; stream: boolean }

/** A request in its most grouped form, with what had to be left out of it. */
export interface Normal {
  request: NormalRequest
  warnings: Warning[]
  /** Kinds of parts that occur, so that one that the manifest has no use for is told. */
  partTypes: Set<string>
}

const partTypes = ['text', 'image', 'audio', 'video', 'file', 'reasoning', 'tool_call', 'tool_result', 'raw']
const plainFields = ['maxTokens', 'temperature', 'topP', 'topK', 'seed', 'frequencyPenalty', 'presencePenalty', 'n'] as const
const passedFields = ['output', 'reasoning', 'parallelToolCalls', 'user', 'metadata', 'cache'] as const
/** Handled by the runtime itself, never by a template. */
const optionFields = ['model', 'extra', 'wire', 'signal', 'timeout', 'timeouts', 'retry', 'strict', 'headers'] as const
const shapedFields = ['prompt', 'messages', 'system', 'tools', 'toolChoice', 'stop', 'logprobs'] as const

/** Every field that an operation's request may have. */
export const requestFields: Record<string, ReadonlySet<string>> = {
  chat: new Set([...optionFields, ...plainFields, ...passedFields, ...shapedFields]),
  embed: new Set([...optionFields, 'input', 'dimensions', 'purpose', 'user']),
  rerank: new Set([...optionFields, 'query', 'documents', 'topN']),
  load: new Set([...optionFields, 'options']),
  unload: new Set(optionFields),
  models: new Set(optionFields),
  pull: new Set(optionFields),
  remove: new Set(optionFields),
}

/** Every field that templates may read of an operation's request. */
export const normalFields: Record<string, readonly string[]> = {
  chat: ['model', 'stream', 'messages', ...plainFields, ...passedFields, 'system', 'tools', 'toolChoice', 'stop', 'logprobs'],
  embed: ['model', 'stream', 'input', 'dimensions', 'purpose', 'user'],
  rerank: ['model', 'stream', 'query', 'documents', 'topN'],
  load: ['model', 'stream', 'options'],
  unload: ['model', 'stream'],
  models: ['model', 'stream'],
  pull: ['model', 'stream'],
  remove: ['model', 'stream'],
}

function invalid(message: string, hint?: string): ModelwireError {
  return new ModelwireError('invalid_request', message, { hint })
}

/**
 * Brings a chat request into the form that manifests' templates read: strings become parts, system messages are lifted,
 * the tool results of one turn are grouped (so that manifests only ever split, never merge). `provider` reads its own raw
 * parts and signatures; others' are left out with a warning.
 */
export function normalizeChat(input: ChatRequest, model: string, provider: string, stream: boolean): Normal {
  const warnings: Warning[] = []
  const { system, messages } = normalizeMessages(input, provider, warnings)
  const request: NormalRequest = { model, stream, messages }
  if (system.length > 0) request.system = system
  for (const field of plainFields) if (input[field] !== undefined) request[field] = finite(field, input[field])
  for (const field of passedFields) if (input[field] !== undefined) request[field] = input[field]
  if (input.tools !== undefined && !Array.isArray(input.tools)) throw invalid('`tools` must be a list')
  if (input.tools !== undefined && input.tools.length > 0) request.tools = input.tools.map(checkTool)
  if (input.toolChoice !== undefined) request.toolChoice = normalizeChoice(input.toolChoice)
  if (input.stop !== undefined) request.stop = [input.stop].flat()
  if (input.logprobs !== undefined && input.logprobs !== false) {
    request.logprobs = input.logprobs === true ? { enabled: true } : { enabled: true, top: finite('logprobs', input.logprobs) }
  }
  return { request, warnings, partTypes: typesOf(messages) }
}

export function normalizeEmbed(input: EmbedRequest, model: string): Normal {
  const list = [input.input].flat()
  if (list.length === 0 || list.some((text) => typeof text !== 'string'))
    throw invalid('`input` must be a text or a list of texts, and not empty')
  const request: NormalRequest = { model, stream: false, input: list }
  if (input.dimensions !== undefined) request.dimensions = finite('dimensions', input.dimensions)
  if (input.purpose !== undefined) request.purpose = input.purpose
  if (input.user !== undefined) request.user = input.user
  return { request, warnings: [], partTypes: new Set() }
}

export function normalizeRerank(input: RerankRequest, model: string): Normal {
  const { query, documents, topN } = input
  if (typeof query !== 'string' || query === '') throw invalid('a rerank needs a `query`')
  if (!Array.isArray(documents) || documents.length === 0 || documents.some((text) => typeof text !== 'string'))
    throw invalid('`documents` must be a list of texts, and not empty')
  const request: NormalRequest = { model, stream: false, query, documents }
  if (topN !== undefined) request.topN = finite('topN', topN)
  return { request, warnings: [], partTypes: new Set() }
}

function finite(field: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalid(`\`${field}\` must be a number, got ${typeof value === 'number' ? String(value) : typeof value}`)
}

function checkTool(tool: Tool | RawTool): Tool | RawTool {
  if (typeof tool !== 'object' || tool === null) throw invalid(`a tool must be a map, got ${JSON.stringify(tool)}`)
  if ('raw' in tool) return tool
  if (typeof tool.name !== 'string' || tool.name === '') throw invalid('a tool needs a `name`')
  return tool.parameters === undefined ? { ...tool, parameters: { type: 'object', properties: {} } } : tool
}

function normalizeChoice(choice: ToolChoice): { type: string; name?: string } {
  const made = typeof choice === 'string' ? { type: choice } : choice
  if (typeof made !== 'object' || made === null || !['auto', 'none', 'required', 'tool'].includes(made.type)) {
    throw invalid(`\`toolChoice\` must be auto, none, required or { type: 'tool', name }, got ${JSON.stringify(choice)}`)
  }
  if (made.type === 'tool' && !('name' in made && typeof made.name === 'string'))
    throw invalid("`toolChoice: { type: 'tool' }` needs a `name`")
  return made
}

// ---- messages ----------------------------------------------------------------------------------------------------

interface Turn {
  role: 'user' | 'assistant' | 'tool'
  content: Part[]
}

function normalizeMessages(input: ChatRequest, provider: string, warnings: Warning[]): { system: Part[]; messages: Turn[] } {
  const given = [...(input.messages ?? [])]
  if (input.prompt !== undefined) given.push({ role: 'user', content: input.prompt })
  if (!Array.isArray(input.messages ?? []) || given.length === 0) throw invalid('a chat needs a `prompt` or `messages`')
  const system: Part[] = input.system === undefined ? [] : partsOf(input.system, 'system')
  const turns: Turn[] = []
  for (const message of given) {
    if (typeof message !== 'object' || message === null)
      throw invalid(`a message must be a map with \`role\` and \`content\`, got ${JSON.stringify(message)}`)
    const parts = ownParts(partsOf(message.content, message.role), provider, warnings)
    switch (message.role) {
      case 'system':
        system.push(...parts)
        break
      case 'user':
      case 'assistant':
      case 'tool':
        addTurn(turns, message.role, parts)
        break
      default:
        throw invalid(
          `a message's role must be system, user, assistant or tool, got ${JSON.stringify(message.role satisfies never)}`,
        )
    }
  }
  nameResults(turns)
  return { system, messages: turns }
}

/** Tool results may stand in a user's message too; they always get a turn of their own, one for all that follow each other. */
function addTurn(turns: Turn[], role: Turn['role'], parts: Part[]): void {
  if (role !== 'tool' && !parts.some((part) => part.type === 'tool_result')) {
    turns.push({ role, content: parts })
    return
  }
  const results = role === 'assistant' ? [] : parts.filter((part) => part.type === 'tool_result')
  const rest = role === 'tool' ? [] : parts.filter((part) => !results.includes(part as never)) // results holds only tool results
  if (role === 'tool' && results.length < parts.length)
    throw invalid('a message of the role tool holds tool_result parts only', 'write { type: "tool_result", id, content }')
  const last = turns.at(-1)
  if (results.length > 0) {
    if (last?.role === 'tool') last.content.push(...results)
    else turns.push({ role: 'tool', content: results })
  }
  if (rest.length > 0 || (parts.length === 0 && role !== 'tool')) turns.push({ role, content: rest })
}

function partsOf(content: unknown, role: string): Part[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content))
    throw invalid(
      `the content of a ${role} message must be a text or a list of parts, got ${content === null ? 'null' : typeof content}`,
    )
  return content.map((part: unknown) => checkPart(part))
}

function checkPart(part: unknown): Part {
  if (typeof part === 'string') return { type: 'text', text: part }
  const type = typeof part === 'object' && part !== null && 'type' in part ? part.type : undefined
  if (typeof type !== 'string' || !partTypes.includes(type))
    throw invalid(`a part's type must be one of ${partTypes.join(', ')}; got ${JSON.stringify(type)}`)
  const known = part as Part // its type is one of ours
  switch (known.type) {
    case 'text':
    case 'reasoning':
      if (typeof known.text !== 'string') throw invalid(`a ${known.type} part needs a \`text\``)
      return known
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
      if (known.data === undefined && known.url === undefined)
        throw invalid(`a part of type ${known.type} needs \`data\` or \`url\``)
      return known
    case 'tool_call':
      return { ...known, arguments: known.kind === 'custom' ? known.arguments : parsed(known.arguments) }
    case 'tool_result':
      return { ...known, content: resultParts(known.content) }
    case 'raw':
      return known
    default:
      return known satisfies never
  }
}

/** Arguments may come as the text that a model wrote. */
function parsed(value: unknown): Record<string, unknown> | string {
  if (typeof value !== 'string') return (value ?? {}) as Record<string, unknown> // a map by the part's type
  try {
    const made: unknown = JSON.parse(value)
    return typeof made === 'object' && made !== null && !Array.isArray(made) ? (made as Record<string, unknown>) : value
  } catch {
    return value // the model's own broken text goes back as it came
  }
}

function resultParts(content: unknown): Part[] {
  if (typeof content === 'string' || Array.isArray(content)) return partsOf(content, 'tool')
  try {
    return [{ type: 'text', text: JSON.stringify(content ?? null) }]
  } catch {
    throw invalid("a tool's result can't be written as JSON", 'pass a text, parts or plain data')
  }
}

function ownParts(parts: Part[], provider: string, warnings: Warning[]): Part[] {
  const foreign = (part: Part): boolean => 'provider' in part && part.provider !== undefined && part.provider !== provider
  return parts.some(foreign) ? parts.flatMap((part) => ownPart(part, provider, warnings)) : parts
}

/** Only their own provider can read raw blocks and signatures. */
function ownPart(part: Part, provider: string, warnings: Warning[]): Part[] {
  const owner = 'provider' in part ? part.provider : undefined
  if (owner === undefined || owner === provider) return [part]
  if (part.type === 'raw') {
    warnings.push({ field: 'messages', reason: `a block that only "${owner}" can read was left out` })
    return []
  }
  const { provider: _, signature, ...rest } = part as Part & { signature?: string; provider?: string }
  if (signature !== undefined)
    warnings.push({
      field: 'messages',
      reason: `the signature of a ${part.type} part, which only "${owner}" can read, was left out`,
    })
  return [rest as Part] // the same part without its signature
}

/** Some wires know results by the tool's name, others by the call's id and kind: a result gets what its call says. */
function nameResults(turns: Turn[]): void {
  if (!turns.some(({ role }) => role === 'tool')) return
  const calls = new Map<string, ToolCallPart>()
  for (const { content } of turns) {
    for (const [index, part] of content.entries()) {
      if (part.type === 'tool_call') calls.set(part.id, part)
      if (part.type !== 'tool_result') continue
      const call = calls.get(part.id)
      const name = part.name ?? call?.name
      const kind = part.kind ?? call?.kind
      if (name !== part.name || kind !== part.kind)
        content[index] = { ...part, ...(name === undefined ? {} : { name }), ...(kind === undefined ? {} : { kind }) }
    }
  }
}

function typesOf(turns: Turn[]): Set<string> {
  const types = new Set<string>()
  for (const { content } of turns) for (const { type } of content) types.add(type)
  return types
}
