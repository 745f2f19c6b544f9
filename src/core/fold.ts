import type { Event, FileEvent } from './event.ts'
import type { Message, Part, ToolCallPart } from './request.ts'
import type { Choice, Source, ToolCall, Usage, Warning } from './result.ts'

/** What a stream's events add up to; the caller adds who answered and how long it took. */
export interface Folded {
  id?: string
  model?: string
  choices: Choice[]
  usage: Usage
  warnings: Warning[]
}

export interface Fold {
  push(event: Event): void
  /** Can be asked at any time: in mid-stream it gives what had come so far. */
  result(): Folded
}

/** One choice as it grows. */
interface Growing {
  choice: Choice
  parts: Part[]
  /** The last part, where it is text. */
  open: Text | undefined
}

/** A part of text or reasoning as it grows. */
interface Text {
  part: Part & { text: string }
  type: 'text' | 'reasoning'
  signature: string | undefined
  /** The provider's number of the block. */
  index: number | undefined
}

/** Folds the events of a chat. */
export class ChatFold implements Fold {
  readonly #provider: string
  /** Choice 0, which most answers have alone, and the others. */
  #first: Growing | undefined
  #others: Map<number, Growing> | undefined
  readonly #warnings: Warning[] = []
  #id: string | undefined
  #model: string | undefined
  #usage: Usage = {}

  constructor(provider: string) {
    this.#provider = provider
  }

  push(event: Event): void {
    switch (event.type) {
      case 'start':
        this.#id = event.id ?? this.#id
        this.#model = event.model ?? this.#model
        return
      case 'usage': {
        const { type: _, ...counts } = event
        this.#usage = counts
        return
      }
      case 'warning': {
        const { type: _, ...warning } = event
        this.#warnings.push(warning)
        return
      }
      case 'embedding':
      case 'score':
      case 'segment':
      case 'progress':
      case 'model':
      case 'error':
        return
      default:
        grow(this.#lane(event.choice ?? 0), event, this.#provider)
    }
  }

  result(): Folded {
    const others = [...(this.#others ?? [])].sort(([left], [right]) => left - right).map(([, lane]) => lane)
    const lanes = this.#first === undefined ? others : [this.#first, ...others]
    const folded: Folded = { choices: lanes.map(spoken), usage: this.#usage, warnings: this.#warnings }
    if (this.#id !== undefined) folded.id = this.#id
    if (this.#model !== undefined) folded.model = this.#model
    return folded
  }

  #lane(choice: number): Growing {
    if (choice === 0) return (this.#first ??= silence())
    const others = (this.#others ??= new Map())
    const known = others.get(choice)
    if (known !== undefined) return known
    const made = silence()
    others.set(choice, made)
    return made
  }
}

function silence(): Growing {
  const parts: Part[] = []
  const message: Message & { role: 'assistant'; content: Part[] } = { role: 'assistant', content: parts }
  const choice: Choice = { text: '', reasoning: '', toolCalls: [], message, finishReason: 'other' }
  return { choice, parts, open: undefined }
}

/** Adds a part behind the last one, which is whole then. */
function add(growing: Growing, part: Part): void {
  growing.open = undefined
  growing.parts.push(part)
}

/** Text and reasoning stand in the parts; here they are joined. */
function spoken({ choice, parts }: Growing): Choice {
  let [text, reasoning] = ['', '']
  for (const part of parts) {
    if (part.type === 'text') text += part.text
    else if (part.type === 'reasoning') reasoning += part.text
  }
  return { ...choice, text, reasoning }
}

type Spoken = Exclude<
  Event,
  { type: 'start' | 'usage' | 'warning' | 'embedding' | 'score' | 'segment' | 'progress' | 'model' | 'error' }
>

function grow(growing: Growing, event: Spoken, provider: string): void {
  const { choice } = growing
  switch (event.type) {
    case 'text':
    case 'reasoning':
      return append(growing, event, provider)
    case 'refusal':
      choice.refusal = (choice.refusal ?? '') + event.delta
      return
    case 'tool_call': {
      const call = toolCall(event)
      choice.toolCalls.push(call)
      const { id, name, kind } = call
      const part: ToolCallPart = { type: 'tool_call', id, name, arguments: call.arguments ?? call.argumentsText }
      if (kind !== undefined) part.kind = kind
      if (event.signature !== undefined) Object.assign(part, { signature: event.signature, provider })
      return add(growing, part)
    }
    case 'source': {
      const { type: _, choice: _choice, index: _index, ...source } = event
      const known: Source[] = (choice.sources ??= [])
      known.push(source)
      return
    }
    case 'file':
      ;(choice.files ??= []).push(outputFile(event))
      add(growing, filePart(event, provider))
      return
    case 'raw':
      add(growing, { type: 'raw', provider, data: event.data })
      return
    case 'finish':
      choice.finishReason = event.reason
      if (event.rawReason !== undefined) choice.rawFinishReason = event.rawReason
      return
    case 'tool_call_start':
    case 'tool_call_delta':
    case 'audio':
      return
    default:
      event satisfies never
  }
}

function toolCall(event: {
  id: string
  name: string
  arguments?: Record<string, unknown>
  argumentsText: string
  kind?: 'custom'
}): ToolCall {
  const { id, name, argumentsText, arguments: made, kind } = event
  const call: ToolCall = made === undefined ? { id, name, argumentsText } : { id, name, arguments: made, argumentsText }
  if (kind !== undefined) call.kind = kind
  return call
}

function outputFile(event: FileEvent): { mediaType?: string; url?: string; data?: Uint8Array } {
  return {
    ...(event.mediaType === undefined ? {} : { mediaType: event.mediaType }),
    ...(event.url === undefined ? {} : { url: event.url }),
    ...(event.data === undefined ? {} : { data: Buffer.from(event.data, 'base64') }),
  }
}

function filePart(event: FileEvent, provider: string): Part {
  const { mediaType, url, data, signature } = event
  const media = {
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(url === undefined ? {} : { url }),
    ...(data === undefined ? {} : { data }),
    ...(signature === undefined ? {} : { signature, provider }),
  }
  return mediaType?.startsWith('image/') === true ? { type: 'image', ...media } : { type: 'file', ...media }
}

type Piece = { type: 'text' | 'reasoning'; delta?: string; signature?: string; index?: number }

/**
 * Adds a piece to the last part when it continues it: same kind, and the same block (`index`) where the wire numbers its
 * blocks, else the same signature. There is a wire that forbids merging a part that bears a signature with one that doesn't.
 */
function append(growing: Growing, event: Piece, provider: string): void {
  const { open } = growing
  const { delta = '', signature } = event
  if (open === undefined || open.type !== event.type || !continues(open, event)) {
    const { type, index } = event
    const part: Part & { text: string } = { type, text: delta }
    if (signature !== undefined) Object.assign(part, { signature, provider })
    add(growing, part)
    growing.open = { part, type, signature, index }
    return
  }
  open.part.text += delta // V8 joins the pieces when somebody reads them
  open.index = event.index
  if (signature === undefined || signature === open.signature) return
  open.signature = (open.signature ?? '') + signature
  Object.assign(open.part, { signature: open.signature, provider })
}

function continues(open: Text, event: Piece): boolean {
  if (event.index !== undefined) return open.index === event.index
  if (open.index !== undefined) return false
  // A signature that comes alone closes the reasoning before it.
  return (
    open.signature === event.signature || (event.type === 'reasoning' && event.delta === undefined && open.signature === undefined)
  )
}
