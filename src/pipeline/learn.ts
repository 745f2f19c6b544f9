import type { Roots } from '../lang/value.ts'
import type { Make } from './bind.ts'
import type { Window } from './bytes.ts'
import type { Cut, Shapes, Sink } from './operator.ts'
import { type Piece, stands } from './piece.ts'
import { type Outcome, type Rehearsal, type Shape, shapeOf, type Telling } from './shape.ts'
import type { Speech } from './speech.ts'
import { aligned, endOfNumber, endOfSpace, endOfText, readText, type Studied, studied } from './tokens.ts'

/** What a learner is made of. */
export interface Lessons extends Rehearsal {
  readonly roots: Roots
  /** Hears what frames say. */
  readonly next: Pick<Sink<Speech>, 'push'>
  /** Counts a frame; gives false when nothing may follow it. */
  count(outcome: Outcome): boolean
  /** Bytes that one frame may have. */
  readonly limit: number
  readonly memory: Memory
}

/** The shapes that the frames of an operation have had, the usual ones first: what one stream has learnt serves the next. */
export interface Memory {
  readonly shapes: Shape[]
  /** What may be spent on learning, in frames that needn't be parsed: what is saved pays for what is learnt. */
  credit: number
  /** Looks since the last that taught something: each makes the next dearer. */
  vain: number
}

export function createMemory(): Memory {
  return { shapes: [], credit: mostCredit, vain: 1 }
}

const mostShapes = 8
const mostCredit = 1024
const dearest = 40
const patience = 8
const mostUnasked = 32
const [ofHit, ofMiss, ofLook, ofLesson] = [1, 1 / 2, -4, -30] // measured; a miss counts so that new shapes are found some day

// Where the values of the frame that fitted last begin, and where each ends, below zero when it isn't plain: of all streams, since
// none is interrupted between measuring a frame and saying it.
const starts: number[] = []
const ends: number[] = []

/**
 * A decoder that learns the shape of a stream. Consecutive frames mostly differ in one or two plain values, and those of
 * another stream in a few more (its id, its time). Once two have been seen that differ so, the frame is rebuilt twice with
 * values that nobody can know and given to the rules: what they pass on unchanged is bound to its place among the bytes, and
 * what comes out the same both times doesn't depend on it. A later frame whose other bytes are identical then says the same
 * with its own values, without being cut out or parsed.
 *
 * It is sound because rules can do only three things with a value besides passing it on: compare it with a word of the
 * manifest, look whether it is blank, or give it to a filter. Words (`special`) and blanks go the full way; a shape whose
 * value reaches a filter isn't learnt, nor one whose rules look at anything but the frame. Space between values may be of
 * any length. A slot holds no line end and no bare quote, so what frames a frame stays what it was.
 */
export class Learner implements Shapes {
  readonly #lessons: Lessons
  readonly #cut: Cut
  readonly #shapes: Shape[]
  /** Of the frame that fitted last. */
  readonly #values: string[] = []
  #begun = false // whether the reply's `start` has been said: before, rules do more than they do after it
  #refused = false // whether a frame had a known shape, but a value that goes the full way
  #misses = 0 // frames since the last that fitted
  // The frame whose late part hasn't been said.
  #owing: Shape | undefined
  #owed = 0
  #last: { text: string; studied?: Studied | undefined } | undefined // the frame right before, if it went the full way

  constructor(lessons: Lessons, cut: Cut) {
    this.#lessons = lessons
    this.#cut = cut
    this.#shapes = lessons.memory.shapes
  }

  tell(chunk: Window, at: number): number {
    this.#refused = false
    if (!this.#begun) this.#begun = this.#lessons.roots.started === true
    if (!this.#begun) return at
    const end = this.#tellFrames(chunk, at)
    if (this.#owing !== undefined) this.#tellLate(chunk, this.#owing)
    return end
  }

  study(text: string): void {
    const { roots, special, memory } = this.#lessons
    this.#pay(ofMiss)
    this.#misses++
    if (this.#refused || roots.started !== true) return
    const before = this.#last
    const last: { text: string; studied?: Studied | undefined } = (this.#last = { text })
    const price = ofLook * memory.vain
    if (before === undefined || memory.credit + price + ofLesson < 0) return
    this.#pay(price)
    memory.vain = Math.min(dearest, memory.vain + 1)
    const now = (last.studied = studied(text))
    if (now === undefined) return
    for (const known of [undefined, ...this.#shapes]) {
      const earlier = known?.example ?? (before.studied ??= studied(before.text))
      const tokens = earlier === undefined ? undefined : aligned(earlier, now, special)
      if (tokens === undefined) continue
      this.#pay(ofLesson)
      const shape = shapeOf({ text, tokens }, this.#lessons, this.#cut)
      if (shape === undefined) return
      memory.vain = 1
      if (known !== undefined) this.#shapes.splice(this.#shapes.indexOf(known), 1) // the new one fits wherever it did, and more
      this.#shapes.unshift(shape)
      this.#shapes.length = Math.min(this.#shapes.length, mostShapes)
      return
    }
  }

  unasked(): number {
    return Math.max(0, Math.min(this.#misses - patience, mostUnasked))
  }

  #tellFrames(chunk: Window, at: number): number {
    const { length } = chunk.bytes
    const { limit } = this.#lessons
    const shapes = this.#shapes
    let from = at
    next: while (from < length) {
      for (let index = 0; index < shapes.length; index++) {
        const shape = shapes[index] as Shape // the index is within bounds
        const end = this.#fit(shape, chunk, from)
        if (end < 0 || end - from > limit) continue
        if (this.#owing !== undefined && this.#owing !== shape) {
          this.#tellLate(chunk, this.#owing)
          this.#fit(shape, chunk, from)
        }
        this.#tellAll(shape.now)
        if (shape.late.said.length > 0) {
          this.#owing = shape
          this.#owed = from
        }
        if (index > 0) [shapes[index], shapes[index - 1]] = [shapes[index - 1] as Shape, shape] // the usual ones come forward
        from = end
        this.#last = undefined
        this.#misses = 0
        this.#pay(ofHit)
        if (!this.#lessons.count(shape.outcome)) return from
        continue next
      }
      return from
    }
    return from
  }

  /** Where the frame of this shape ends that begins at `at`, its values read; -1 when there is none. */
  #fit(shape: Shape, chunk: Window, at: number): number {
    const end = this.#measure(shape, chunk, at)
    return end >= 0 && this.#readValues(shape, chunk) ? end : -1
  }

  #measure({ pieces, kinds }: Shape, chunk: Window, at: number): number {
    const { bytes, view } = chunk
    const size = bytes.length
    for (let index = 0; index < kinds.length; index++) {
      const piece = pieces[index] as Piece // one more than there are kinds
      if (!stands(piece, view, size, at)) return -1
      const start = at + piece.length
      const kind = kinds[index]
      const end =
        kind === 'text' ? endOfText(chunk, start) : kind === 'number' ? endOfNumber(bytes, start) : endOfSpace(bytes, start)
      at = Math.abs(end)
      if (at <= start && kind !== 'space') return -1
      starts[index] = start
      ends[index] = end
    }
    const piece = pieces[kinds.length] as Piece // as above
    return stands(piece, view, size, at) ? at + piece.length : -1
  }

  #readValues({ kinds, now: { used } }: Shape, chunk: Window): boolean {
    const { special } = this.#lessons
    for (let index = 0; index < kinds.length; index++) {
      if (kinds[index] === 'space') continue
      const start = starts[index] as number // all were measured
      const end = ends[index] as number
      const doubtful = end < 0 || special.likely(chunk.bytes[start] as number, end - start) // within bounds
      if (!doubtful && !used[index]) continue // nobody asks for it
      const value = this.#valueAt(index, chunk)
      if (value === undefined) return false
      this.#refused = doubtful && special(value)
      if (this.#refused) return false
      this.#values[index] = value
    }
    return true
  }

  #valueAt(index: number, chunk: Window): string | undefined {
    const start = starts[index] as number // it was measured
    const end = ends[index] as number
    return end < 0 ? readText(chunk, start, -end) : chunk.ascii(start, end)
  }

  #tellAll({ said }: Telling): void {
    for (let index = 0; index < said.length; index++) this.#lessons.next.push((said[index] as Make)(this.#values)) // within bounds
  }

  #tellLate(chunk: Window, shape: Shape): void {
    this.#measure(shape, chunk, this.#owed) // it fitted before
    for (let index = 0; index < shape.kinds.length; index++) {
      if (shape.late.used[index] === true) this.#values[index] = this.#valueAt(index, chunk) as string // it was no broken text then
    }
    this.#tellAll(shape.late)
    this.#owing = undefined
  }

  #pay(amount: number): void {
    const { memory } = this.#lessons
    memory.credit = Math.min(mostCredit, memory.credit + amount)
  }
}
