import type { Event } from '../core/event.ts'
import type { FinishReason, Usage } from '../core/result.ts'
import { isBlank, isMap, type PlainMap } from '../lang/value.ts'
import { type Calls, createCalls } from './calls.ts'
import { createProgress } from './progress.ts'
import type { Sink } from './operator.ts'
import { isReplaced, type Speech } from './speech.ts'

/** How one operation reads its ends. */
export interface Endings {
  /** Our reason for the provider's. */
  finish: (raw: unknown) => FinishReason
  /** Our counts for the provider's. */
  usage: (raw: unknown) => Usage | undefined
  /** Whether this operation ends with a reason at all (chat does, embeddings don't). */
  finishes: boolean
  /** A provider's error in a 200 or in mid-stream. */
  fail: (body: unknown) => never
  /** Choices asked for: with several, each event carries its number. */
  choices: number
}

/** One choice: its calls, and how it ended. */
interface Lane {
  calls: Calls
  finish: unknown
  /** What the finish means, where the rule says it itself and leaves nothing to the table. */
  reason: FinishReason | undefined
}

/**
 * Turns what the rules said into events. One lane a choice; `start` comes once and first, held back until there is
 * content, so that a failure before it can still be retried; each lane ends in exactly one `finish`; usage comes last.
 */
export function accumulate(endings: Endings, next: Sink<Event>, heard: { start: () => void; finish: () => void }): Sink<Speech> {
  const lanes = new Map<number, Lane>()
  const numbered = endings.choices > 1
  let start: { type: 'start'; id?: string; model?: string } | undefined
  let started = false
  const progressed = createProgress()
  let usage: unknown

  const lane = (choice: number): Lane => {
    const known = lanes.get(choice)
    if (known !== undefined) return known
    const calls = createCalls(say, numbered || choice > 0 ? choice : undefined, (field, reason) =>
      say({ type: 'warning', field, reason }),
    )
    const made: Lane = { calls, finish: undefined, reason: undefined }
    lanes.set(choice, made)
    return made
  }

  const say = (event: Event): void => {
    if (!started) {
      started = true
      heard.start()
      next.push(start ?? { type: 'start' })
    }
    next.push(event)
  }

  const hear = (speech: Speech): void => {
    switch (speech.type) {
      case 'text':
      case 'reasoning':
      case 'refusal':
        if (numbered) speech.choice ??= 0
        if (speech.type === 'text') speech.delta ??= ''
        if (!lanes.has(speech.choice ?? 0)) lane(speech.choice ?? 0)
        return say(speech)
      case 'start':
        start ??= { type: 'start' }
        if (start.id === undefined && speech.id !== undefined) start.id = speech.id
        if (start.model === undefined && speech.model !== undefined) start.model = speech.model
        if (started || (start.id !== undefined && start.model !== undefined)) heard.start()
        return
      case 'tool':
        return lane(speech.choice ?? 0).calls.hear(speech)
      case 'end':
        return lanes.get(speech.choice ?? 0)?.calls.end(speech.index)
      case 'usage':
        usage = isReplaced(speech) || !isMap(usage) || !isMap(speech.raw) ? speech.raw : merge(usage, speech.raw)
        return
      case 'finish':
        if (isBlank(speech.raw)) return
        Object.assign(lane(speech.choice ?? 0), { finish: speech.raw, reason: speech.reason })
        if (allFinished(lanes, endings.choices)) heard.finish()
        return
      case 'progress':
        return say(progressed(speech))
      case 'error':
        return endings.fail(speech.body)
      default:
        if (numbered && 'choice' in speech) speech.choice ??= 0
        return say(speech)
    }
  }

  const close = (choice: number, { calls, finish, reason: told }: Lane): void => {
    calls.finish()
    const said = finish === undefined ? 'stop' : (told ?? endings.finish(finish))
    const reason = said === 'stop' && calls.made() ? 'tool_calls' : said
    say({
      type: 'finish',
      ...(numbered || choice > 0 ? { choice } : {}),
      reason,
      ...(finish === undefined ? {} : { rawReason: String(finish) }),
    })
  }

  return {
    push: hear,
    end() {
      if (endings.finishes) {
        if (lanes.size === 0) lane(0)
        for (const [choice, made] of [...lanes].sort(([left], [right]) => left - right)) close(choice, made)
      }
      const counts = usage === undefined ? undefined : endings.usage(usage)
      if (counts !== undefined) say({ type: 'usage', ...counts })
      next.end()
    },
  }
}

/** With several choices the first finish proves nothing about the others. */
function allFinished(lanes: ReadonlyMap<number, Lane>, asked: number): boolean {
  return lanes.size >= asked && [...lanes.values()].every(({ finish }) => finish !== undefined)
}

/** Later over earlier; what the later one doesn't know stays. */
function merge(earlier: PlainMap, later: PlainMap): PlainMap {
  const out = { ...earlier }
  for (const [key, value] of Object.entries(later)) if (value !== null && value !== undefined) out[key] = value
  return out
}
