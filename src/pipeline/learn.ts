import { ModelwireError } from '../core/error.ts'
import type { Roots } from '../lang/value.ts'
import { bind, type Make } from './bind.ts'
import type { Window } from './bytes.ts'
import type { Say } from './dispatch.ts'
import type { Frame, Shapes } from './operator.ts'
import { type Piece, pieceOf, stands } from './piece.ts'
import { isReplaced, type Speech } from './speech.ts'
import {
  aligned,
  emptied,
  endOfNumber,
  endOfSpace,
  endOfText,
  plainText,
  readText,
  type Studied,
  studied,
  type Token,
} from './tokens.ts'
import type { Special } from './words.ts'

/** What the rules said of a frame. */
export interface Outcome {
  matched: boolean
  closed: boolean
}

/** What a learner is made of. */
export interface Lessons {
  /** The rules, as they would run on a frame that was parsed. */
  speak: (frame: Frame, roots: Roots, say: Say) => Outcome
  roots: Roots
  special: Special
  say: Say
  /** Finds the frame in the bytes of one. */
  revive: (text: string) => Frame
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

/** What is said of a frame, and which of its slots that takes. */
interface Telling {
  said: Make[]
  used: boolean[]
}

interface Shape {
  /** A frame that had it. */
  example: Studied
  /** The bytes around the slots: one more than there are slots. */
  pieces: Piece[]
  kinds: Token['kind'][]
  now: Telling
  /** What the next frame of this shape replaces: said only of the last one in a row. */
  late: Telling
  outcome: Outcome
}

const mostShapes = 8
const mostCredit = 1024
const dearest = 12
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
export function createLearner({ speak, roots, special, say, revive, count, limit, memory }: Lessons): Shapes {
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
    return end >= 0 && readValues(shape, shape.now.used, chunk) ? end : -1
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

  const readValues = ({ kinds }: Shape, used: boolean[], chunk: Window): boolean => {
    for (let index = 0; index < kinds.length; index++) {
      if (kinds[index] === 'space') continue
      const start = starts[index] as number // all were measured
      const found = ends[index] as number
      const end = Math.abs(found)
      const doubtful = found < 0 || special.likely(chunk.bytes[start] as number, end - start) // within bounds
      if (!doubtful && used[index] !== true) continue // nobody asks for it
      const value = found < 0 ? readText(chunk, start, end) : plainText(chunk, start, end)
      if (value === undefined) return false
      refused = doubtful && special(value)
      if (refused) return false
      values[index] = value
    }
    return true
  }

  /** Probes the rules with two rebuilt frames. */
  const learn = (example: Studied): Shape | undefined => {
    const slots = example.tokens.filter(({ varies }) => varies)
    const fixed = [0, ...slots.map(({ end }) => end)].map((from, index) => example.text.slice(from, slots[index]?.start))
    const kinds = slots.map(({ kind }) => kind)
    const [first, second] = [probe(fixed, kinds, ''), probe(fixed, kinds, ' \t')]
    if (first === undefined || second === undefined) return undefined
    if (first.said.length !== second.said.length || first.matched !== second.matched) return undefined
    const makes = first.said.map((speech, index) => bind([speech, second.said[index]], [first.values, second.values], kinds))
    if (!makes.every((make) => make !== undefined)) return undefined
    const added = first.said.filter((speech) => !isReplaced(speech)).map(({ type }) => type)
    const telling = (late: boolean): Telling => {
      const chosen = first.said.filter((speech) => (isReplaced(speech) && !added.includes(speech.type)) === late)
      const told = JSON.stringify(chosen)
      return {
        said: makes.filter((_, index) => chosen.includes(first.said[index] as Speech)), // as many as there are makes
        used: first.values.map((value) => told.includes(value)),
      }
    }
    return {
      example: emptied(example),
      pieces: fixed.map(pieceOf),
      kinds,
      now: telling(false),
      late: telling(true),
      outcome: { matched: first.matched, closed: false },
    }
  }

  const tellAll = ({ said }: Telling): void => {
    for (let index = 0; index < said.length; index++) say((said[index] as Make)(values)) // within bounds
  }

  const tellLate = (chunk: Window): void => {
    if (owing === undefined) return
    measure(owing, chunk, owed) // it fitted before
    readValues(owing, owing.late.used, chunk)
    tellAll(owing.late)
    owing = undefined
  }

  const probe = (fixed: string[], kinds: Token['kind'][], space: string): Probe | undefined => {
    const unknown = kinds.map((kind) => (kind === 'space' ? space : unknowable(kind)))
    if (unknown.some((value, index) => kinds[index] !== 'space' && special(value))) return undefined
    const said: Speech[] = []
    const { seen, filtered, beyond } = watched()
    try {
      const frame = revive(fixed.map((piece, index) => piece + (unknown[index] ?? '')).join(''))
      const { matched, closed } = speak(frame, seen, (speech) => void said.push(speech))
      const touched = JSON.stringify(filtered)
      if (closed || beyond() || unknown.some((value) => value.trim() !== '' && touched.includes(value))) return undefined
      return { said, matched, values: unknown }
    } catch (error) {
      if (error instanceof ModelwireError) return undefined // a frame that fails is no shape to learn
      throw error
    }
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
        const shape = learn({ text, tokens })
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

interface Probe {
  said: Speech[]
  matched: boolean
  values: string[]
}

/** What rules see of a call while they are probed: what they give to filters, and whether they looked at more than the frame. */
function watched(): { seen: Roots; filtered: unknown[]; beyond: () => boolean } {
  const filtered: unknown[] = []
  let asked = false
  const given: Roots = { started: true, filtered: (value) => void filtered.push(value) }
  const seen = new Proxy(given, {
    get(target, key) {
      if (key !== 'miss' && key !== 'origins' && !Object.hasOwn(target, key)) asked = true
      return Reflect.get(target, key) as unknown
    },
  })
  return { seen, filtered, beyond: () => asked }
}

/** A value that no rule can know. */
function unknowable(kind: 'text' | 'number'): string {
  return kind === 'text' ? `x${crypto.randomUUID()}` : String(1e9 + Math.floor(Math.random() * 8e9))
}
