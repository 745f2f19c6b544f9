import type { ChatResult, Event, Stream } from '../index.ts'
import { createCleaner } from './clean.ts'
import { near, note, out, paintNote, safe } from './terminal.ts'

/**
 * Shows the first choice of an answer as it comes: the text on standard output, and on standard error what stands beside
 * it. Reasoning is for who watches, so only a terminal gets it. On a terminal nothing of the model's reaches its controls.
 */
export function createVoice(): { hear: (event: Event) => void; end: () => void } {
  const cleanText = process.stdout.isTTY ? createCleaner() : (text: string): string => text
  const cleanThought = createCleaner()
  let lineOpen = false
  let thinking = false

  const endThought = (): void => {
    if (thinking) process.stderr.write('\n\n')
    thinking = false
  }
  const endLine = (): void => {
    if (lineOpen) out('\n')
    lineOpen = false
  }
  const aside = (text: string): void => {
    endThought()
    endLine()
    note(text)
  }
  const say = (delta: string): void => {
    endThought()
    const text = cleanText(delta)
    if (text === '') return
    out(text)
    lineOpen = !text.endsWith('\n')
  }
  const think = (delta: string): void => {
    if (!process.stderr.isTTY || delta === '') return
    endLine()
    thinking = true
    process.stderr.write(paintNote.dim(cleanThought(delta)))
  }

  return {
    hear(event) {
      if ('choice' in event && (event.choice ?? 0) !== 0) return
      switch (event.type) {
        case 'text':
          return say(event.delta)
        case 'reasoning':
          return think(event.delta ?? '')
        case 'tool_call':
          return aside(
            `${paintNote.cyan('tool call:')} ${safe(`${event.name}(${event.argumentsText})`)} ${paintNote.dim(safe(event.id))}`,
          )
        case 'warning':
          return aside(`${paintNote.yellow('warning:')} ${warningText(event)}`)
        case 'file':
          return aside(
            `${paintNote.cyan('file:')} ${safe([event.mediaType, event.url].filter((part) => part !== undefined).join(' '))}`,
          )
        default:
          return undefined // the rest is in the summary, or in --events
      }
    },
    end() {
      endThought()
      endLine()
    },
  }
}

export async function showStream(stream: Stream): Promise<ChatResult> {
  const voice = createVoice()
  const result = stream.result
  result.catch(() => undefined) // the loop throws the same
  try {
    for await (const event of stream) voice.hear(event)
  } finally {
    voice.end()
  }
  return await result
}

/** The same for an answer that came whole. */
export function showResult(result: ChatResult): ChatResult {
  const voice = createVoice()
  for (const warning of result.warnings) voice.hear({ type: 'warning', ...warning })
  voice.hear({ type: 'reasoning', delta: result.reasoning })
  voice.hear({ type: 'text', delta: result.text })
  for (const call of result.toolCalls) voice.hear({ type: 'tool_call', ...call })
  voice.end()
  return result
}

export function warningText({ field, reason, where }: { field: string; reason: string; where?: string }): string {
  return `${safe(`${field}: ${reason}`)}${where === undefined ? '' : ` ${paintNote.dim(`(${safe(near(where))})`)}`}`
}
