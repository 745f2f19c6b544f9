import { isMap, type Roots } from '../lang/value.ts'
import { parseFrame } from './decode/frame.ts'
import type { Say } from './dispatch.ts'
import { Learner, type Lessons, type Memory } from './learn.ts'
import type { Cut, Found, Frame, FrameSink, Progress, Shapes, Sink } from './operator.ts'
import type { ReadInput, ReadPlan } from './plan.ts'
import type { Outcome } from './shape.ts'
import type { Speech } from './speech.ts'
import type { Special } from './words.ts'

/** Runs the rules on each frame, or says at once what they would say of one whose shape is known. */
export class Mapper implements FrameSink, Lessons {
  readonly roots: Roots
  readonly limit: number
  readonly memory: Memory
  readonly special: Special
  readonly next: Sink<Speech>
  readonly #plan: ReadPlan
  readonly #learn: boolean
  readonly #progress: Progress
  readonly #prove: () => void
  readonly #say = (speech: Speech): void => this.next.push(speech)

  constructor(plan: ReadPlan, input: ReadInput, progress: Progress, next: Sink<Speech>, prove: () => void) {
    this.roots = input.roots
    this.limit = input.limit
    this.memory = plan.memory
    this.special = plan.special
    this.next = next
    this.#plan = plan
    this.#learn = input.learn
    this.#progress = progress
    this.#prove = prove
  }

  push(frame: Frame): void {
    if (!this.#progress.closed) this.count(this.speak(frame, this.roots, this.#say))
  }

  text(text: string, atEnd: boolean, tag?: string): void {
    if (!this.#progress.closed) this.count(this.speak(this.#parse(text, tag, atEnd), this.roots, this.#say))
  }

  shapes(cut: Cut): Shapes | undefined {
    return this.#learn ? new Learner(this, cut) : undefined
  }

  end(): void {
    this.#prove()
    this.next.end()
  }

  speak(frame: Frame, seen: Roots, say: Say): Outcome {
    const { select, rules, complete } = this.#plan
    const selected = select === undefined ? frame : select(frame, seen)
    const matched = rules.run(selected, seen, say)
    return { matched, closed: complete.when.some((when) => when(selected)) }
  }

  revive({ text, tag }: Found): Frame {
    return this.#parse(text, tag, false)
  }

  count({ matched, closed }: Outcome): boolean {
    const progress = this.#progress
    progress.frames++
    if (!matched) progress.unmatched++
    if (closed) progress.closed = true
    return !progress.closed
  }

  #parse(text: string, tag: string | undefined, atEnd: boolean): Frame {
    const frame = parseFrame(text, this.limit, atEnd)
    const { tag: tagged } = this.#plan.decode.options
    if (tagged !== undefined && tag !== undefined && isMap(frame)) frame[tagged] ??= tag
    return frame
  }
}
