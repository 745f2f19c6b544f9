import type { Event, FinishEvent } from '../core/event.ts'
import type { FinishReason, Usage } from '../core/result.ts'
import { isBlank, isMap, type PlainMap } from '../lang/value.ts'
import { Calls } from './calls.ts'
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

/** Takes the events, and hears how far the reply has come. */
export interface Audience {
  say(event: Event): void
  /** Content began. */
  started(): void
  /** All choices have a reason to end. */
  finished(): void
}

/**
 * Turns what the rules said into events. One lane a choice; `start` comes once and first, held back until there is
 * content, so that a failure before it can still be retried; each lane ends in exactly one `finish`; usage comes last.
 */
export class Accumulator implements Sink<Speech> {
  readonly #endings: Endings
  readonly #audience: Audience
  readonly #numbered: boolean
  readonly #lanes = new Map<number, Lane>()
  #progressed: ReturnType<typeof createProgress> | undefined
  /** Whether choice 0, which most replies have alone, has its lane. */
  #first = false
  #start: { type: 'start'; id?: string; model?: string } | undefined
  #started = false
  #usage: unknown

  constructor(endings: Endings, audience: Audience) {
    this.#endings = endings
    this.#audience = audience
    this.#numbered = endings.choices > 1
  }

  push(speech: Speech): void {
    switch (speech.type) {
      case 'text':
      case 'reasoning':
      case 'refusal':
        if (this.#numbered) speech.choice ??= 0
        if (speech.type === 'text') speech.delta ??= ''
        if (!this.#first || speech.choice !== undefined) this.#lane(speech.choice ?? 0)
        return this.#say(speech)
      case 'start': {
        const start = (this.#start ??= { type: 'start' })
        if (start.id === undefined && speech.id !== undefined) start.id = speech.id
        if (start.model === undefined && speech.model !== undefined) start.model = speech.model
        if (this.#started || (start.id !== undefined && start.model !== undefined)) this.#audience.started()
        return
      }
      case 'tool':
        return this.#lane(speech.choice ?? 0).calls.hear(speech)
      case 'end':
        return this.#lanes.get(speech.choice ?? 0)?.calls.end(speech.index)
      case 'usage': {
        const before = this.#usage
        this.#usage = isReplaced(speech) || !isMap(before) || !isMap(speech.raw) ? speech.raw : merge(before, speech.raw)
        return
      }
      case 'finish':
        if (isBlank(speech.raw)) return
        Object.assign(this.#lane(speech.choice ?? 0), { finish: speech.raw, reason: speech.reason })
        if (allFinished(this.#lanes, this.#endings.choices)) this.#audience.finished()
        return
      case 'progress':
        return this.#say((this.#progressed ??= createProgress())(speech))
      case 'error':
        return this.#endings.fail(speech.body)
      default:
        if (this.#numbered && 'choice' in speech) speech.choice ??= 0
        return this.#say(speech)
    }
  }

  end(): void {
    if (this.#endings.finishes) {
      if (this.#lanes.size === 0) this.#lane(0)
      for (const [choice, made] of inOrder(this.#lanes)) this.#close(choice, made)
    }
    const counts = this.#usage === undefined ? undefined : this.#endings.usage(this.#usage)
    if (counts !== undefined) this.#say({ type: 'usage', ...counts })
  }

  #lane(choice: number): Lane {
    const known = this.#lanes.get(choice)
    if (known !== undefined) return known
    if (choice === 0) this.#first = true
    const say = (event: Event): void => this.#say(event)
    const made: Lane = {
      calls: new Calls(say, this.#numbered || choice > 0 ? choice : undefined),
      finish: undefined,
      reason: undefined,
    }
    this.#lanes.set(choice, made)
    return made
  }

  #say(event: Event): void {
    if (!this.#started) {
      this.#started = true
      this.#audience.started()
      this.#audience.say(this.#start ?? { type: 'start' })
    }
    this.#audience.say(event)
  }

  #close(choice: number, { calls, finish, reason: told }: Lane): void {
    calls.finish()
    const said = finish === undefined ? 'stop' : (told ?? this.#endings.finish(finish))
    const reason = said === 'stop' && calls.made() ? 'tool_calls' : said
    const event: FinishEvent = this.#numbered || choice > 0 ? { type: 'finish', choice, reason } : { type: 'finish', reason }
    if (finish !== undefined) event.rawReason = String(finish)
    this.#say(event)
  }
}

function inOrder(lanes: ReadonlyMap<number, Lane>): Iterable<[choice: number, made: Lane]> {
  return lanes.size === 1 ? lanes : [...lanes].sort(([left], [right]) => left - right)
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
