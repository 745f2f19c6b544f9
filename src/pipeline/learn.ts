import type { Roots } from '../lang/value.ts'
import type { Make } from './bind.ts'
import type { Window } from './bytes.ts'
import type { Say } from './dispatch.ts'
import type { Shapes } from './operator.ts'
import { type Piece, stands } from './piece.ts'
import { type Outcome, type Rehearsal, type Shape, shapeOf, type Telling } from './shape.ts'
import { aligned, endOfNumber, endOfSpace, endOfText, plainText, readText, type Studied, studied } from './tokens.ts'

/** What a learner is made of. */
export interface Lessons extends Rehearsal {
  roots: Roots
  say: Say
  /** Counts a frame; gives false when nothing may follow it. */
  count: (outcome: Outcome) => boolean
  /** Bytes that one frame may have. */
  limit: number
  memory: Memory
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
export function createLearner(lessons: Lessons): Shapes {
  const { roots, special, say, count, limit, memory } = lessons
  const { shapes } = memory
  // Of the frame that fitted last: its values, where each begins and where it ends, below zero when it isn't plain.
  const values: string[] = []
  const starts: number[] = []
  const ends: number[] = []
  let refused = false // whether a frame had a known shape, but a value that goes the full way
  let misses = 0 // frames since the last that fitted
  // The frame whose late part hasn't been said.
  let owing: Shape | undefined
  let owed = 0
  let last: { text: string; studied?: Studied | undefined } | undefined // the frame right before, if it went the full way

  /** Where the frame of this shape ends that begins at `at`, its values read; -1 when there is none. */
  const fit = (shape: Shape, chunk: Window, at: number): number => {
    const end = measure(shape, chunk, at)
    return end >= 0 && readValues(shape, chunk) ? end : -1
  }

  const measure = ({ pieces, kinds }: Shape, { bytes, view }: Window, at: number): number => {
    for (let index = 0; index < kinds.length; index++) {
      const piece = pieces[index] as Piece // one more than there are kinds
      if (!stands(piece, view, at)) return -1
      const start = at + piece.length
      const kind = kinds[index]
      const end =
        kind === 'text' ? endOfText(bytes, start) : kind === 'number' ? endOfNumber(bytes, start) : endOfSpace(bytes, start)
      at = Math.abs(end)
      if (at <= start && kind !== 'space') return -1
      starts[index] = start
      ends[index] = end
    }
    const piece = pieces[kinds.length] as Piece // as above
    return stands(piece, view, at) ? at + piece.length : -1
  }

  const valueAt = (index: number, chunk: Window): string | undefined => {
    const start = starts[index] as number // it was measured
    const end = ends[index] as number
    return end < 0 ? readText(chunk, start, -end) : plainText(chunk, start, end)
  }

  const readValues = ({ kinds, now: { used } }: Shape, chunk: Window): boolean => {
    for (let index = 0; index < kinds.length; index++) {
      if (kinds[index] === 'space') continue
      const start = starts[index] as number // all were measured
      const end = ends[index] as number
      const doubtful = end < 0 || special.likely(chunk.bytes[start] as number, end - start) // within bounds
      if (!doubtful && used[index] !== true) continue // nobody asks for it
      const value = valueAt(index, chunk)
      if (value === undefined) return false
      refused = doubtful && special(value)
      if (refused) return false
      values[index] = value
    }
    return true
  }

  const tellAll = ({ said }: Telling): void => {
    for (let index = 0; index < said.length; index++) say((said[index] as Make)(values)) // within bounds
  }

  const tellLate = (chunk: Window): void => {
    if (owing === undefined) return
    measure(owing, chunk, owed) // it fitted before
    for (let index = 0; index < owing.kinds.length; index++) {
      if (owing.late.used[index] === true) values[index] = valueAt(index, chunk) as string // it was no broken text then
    }
    tellAll(owing.late)
    owing = undefined
  }

  const pay = (amount: number): void => {
    memory.credit = Math.min(mostCredit, memory.credit + amount)
  }

  const tellFrames = (chunk: Window, at: number): number => {
    const { length } = chunk.text
    let from = at
    next: while (from < length) {
      for (let index = 0; index < shapes.length; index++) {
        const shape = shapes[index] as Shape // the index is within bounds
        const end = fit(shape, chunk, from)
        if (end < 0 || end - from > limit) continue
        if (owing !== undefined && owing !== shape) {
          tellLate(chunk)
          fit(shape, chunk, from)
        }
        tellAll(shape.now)
        if (shape.late.said.length > 0) [owing, owed] = [shape, from]
        if (index > 0) [shapes[index], shapes[index - 1]] = [shapes[index - 1] as Shape, shape] // the usual ones come forward
        from = end
        last = undefined
        misses = 0
        pay(ofHit)
        if (!count(shape.outcome)) return from
        continue next
      }
      return from
    }
    return from
  }

  return {
    tell(chunk, at) {
      refused = false
      if (roots.started !== true) return at
      const end = tellFrames(chunk, at)
      tellLate(chunk)
      return end
    },
    study(text) {
      pay(ofMiss)
      misses++
      if (refused || roots.started !== true) return
      const before = last
      last = { text }
      const price = ofLook * memory.vain
      if (before === undefined || memory.credit + price + ofLesson < 0) return
      pay(price)
      memory.vain = Math.min(dearest, memory.vain + 1)
      const now = (last.studied = studied(text))
      if (now === undefined) return
      for (const known of [undefined, ...shapes]) {
        const earlier = known?.example ?? (before.studied ??= studied(before.text))
        const tokens = earlier === undefined ? undefined : aligned(earlier, now, special)
        if (tokens === undefined) continue
        pay(ofLesson)
        const shape = shapeOf({ text, tokens }, lessons)
        if (shape === undefined) return
        memory.vain = 1
        if (known !== undefined) shapes.splice(shapes.indexOf(known), 1) // the new one fits wherever it did, and more
        shapes.unshift(shape)
        shapes.length = Math.min(shapes.length, mostShapes)
        return
      }
    },
    unasked: () => Math.max(0, Math.min(misses - patience, mostUnasked)),
  }
}
