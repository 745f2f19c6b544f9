import type { Event, FileEvent } from './event.ts'
import type { Message, Part } from './request.ts'
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

/** One choice as it grows. Parts are joined only when they are asked for. */
interface Growing {
  choice: Choice
  parts: Part[]
  /** The provider's number of the last text or reasoning part. */
  open: number | undefined
}

/** Folds the events of a chat. */
export function createFold(provider: string): Fold {
  const lanes = new Map<number, Growing>()
  const warnings: Warning[] = []
  const head: { id?: string; model?: string } = {}
  let usage: Usage = {}

  const lane = (number: number): Growing => {
    const known = lanes.get(number)
    if (known !== undefined) return known
    const parts: Part[] = []
    const message: Message & { role: 'assistant'; content: Part[] } = { role: 'assistant', content: parts }
    const choice: Choice = { text: '', reasoning: '', toolCalls: [], message, finishReason: 'other' }
    const made = { choice, parts, open: undefined }
    lanes.set(number, made)
    return made
  }

  return {
    push(event) {
      switch (event.type) {
        case 'start':
          if (event.id !== undefined) head.id = event.id
          if (event.model !== undefined) head.model = event.model
          return
        case 'usage': {
          const { type: _, ...counts } = event
          usage = counts
          return
        }
        case 'warning': {
          const { type: _, ...warning } = event
          warnings.push(warning)
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
          grow(lane(event.choice ?? 0), event, provider)
      }
    },
    result: () => ({
      ...head,
      choices: [...lanes.entries()].sort(([left], [right]) => left - right).map(([, grown]) => spoken(grown)),
      usage,
      warnings,
    }),
  }
}

/** Text and reasoning stand in the parts; here they are joined. */
function spoken({ choice, parts }: Growing): Choice {
  const said = (type: 'text' | 'reasoning'): string => parts.map((part) => (part.type === type ? part.text : '')).join('')
  return { ...choice, text: said('text'), reasoning: said('reasoning') }
}

type Spoken = Exclude<
  Event,
  { type: 'start' | 'usage' | 'warning' | 'embedding' | 'score' | 'segment' | 'progress' | 'model' | 'error' }
>

function grow(growing: Growing, event: Spoken, provider: string): void {
  const { choice, parts } = growing
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
      parts.push({
        type: 'tool_call',
        id: call.id,
        name: call.name,
        arguments: call.arguments ?? call.argumentsText,
        ...(call.kind === undefined ? {} : { kind: call.kind }),
        ...(event.signature === undefined ? {} : { signature: event.signature, provider }),
      })
      return
    }
    case 'source': {
      const { type: _, choice: _choice, index: _index, ...source } = event
      const known: Source[] = (choice.sources ??= [])
      known.push(source)
      return
    }
    case 'file':
      ;(choice.files ??= []).push(outputFile(event))
      parts.push(filePart(event, provider))
      return
    case 'raw':
      parts.push({ type: 'raw', provider, data: event.data })
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
  return {
    id: event.id,
    name: event.name,
    ...(event.arguments === undefined ? {} : { arguments: event.arguments }),
    argumentsText: event.argumentsText,
    ...(event.kind === undefined ? {} : { kind: event.kind }),
  }
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
  const last = growing.parts.at(-1)
  const { delta = '', signature } = event
  if (last === undefined || last.type !== event.type || !continues(growing.open, last, event)) {
    const part: Part = { type: event.type, text: delta }
    if (signature !== undefined) Object.assign(part, { signature, provider })
    growing.parts.push(part)
  } else {
    last.text += delta
    if (signature !== undefined && signature !== last.signature)
      Object.assign(last, { signature: (last.signature ?? '') + signature, provider })
  }
  growing.open = event.index
}

function continues(open: number | undefined, last: { signature?: string }, event: Piece): boolean {
  if (event.index !== undefined) return open === event.index
  if (open !== undefined) return false
  // A signature that comes alone closes the reasoning before it.
  return (
    last.signature === event.signature || (event.type === 'reasoning' && event.delta === undefined && last.signature === undefined)
  )
}
