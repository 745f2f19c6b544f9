import { ModelwireError } from '../core/error.ts'
import type { Roots } from '../lang/value.ts'
import { bind, type Make } from './bind.ts'
import type { Window } from './bytes.ts'
import type { Say } from './dispatch.ts'
import type { Frame, Shapes } from './operator.ts'
import { type Piece, pieceOf, stands } from './piece.ts'
import type { Speech } from './speech.ts'
import { endOfNumber, endOfSpace, endOfText, plainText, readText, type Token, tokensOf } from './tokens.ts'
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
}

interface Shape {
  /** The bytes around the slots: one more than there are slots. */
  pieces: Piece[]
  kinds: Token['kind'][]
  /** Which slots are said on. */
  used: boolean[]
  said: Make[]
  outcome: Outcome
}

interface Studied {
  text: string
  tokens: Token[]
}

const mostShapes = 4
const patience = 8
const longestRest = 256

/**
 * A decoder that learns the shape of a stream. Consecutive frames mostly differ in one or two plain values. Once two have
 * been seen that differ so, the frame is rebuilt twice with values that nobody can know and given to the rules: what they
 * pass on unchanged is bound to its place among the bytes, and what comes out the same both times doesn't depend on it. A
 * later frame whose other bytes are identical then says the same with its own values, without being cut out or parsed.
 *
 * It is sound because rules can do only three things with a value besides passing it on: compare it with a word of the
 * manifest, look whether it is blank, or give it to a filter. Words (`special`) and blanks go the full way; a shape whose
 * value reaches a filter isn't learnt. A slot holds no line end and no bare quote, so what frames a frame stays what it was.
 */
export function createLearner({ speak, roots, special, say, revive, count, limit }: Lessons): Shapes {
  const shapes: Shape[] = []
  const values: string[] = [] // of the frame that fitted last
  let last: Studied | undefined
  let fruitless = 0
  let rest = 0

  /** Where the frame of this shape ends that begins at `at`; -1 when there is none. */
  const fit = ({ pieces, kinds, used }: Shape, chunk: Window, at: number): number => {
    const { bytes, view } = chunk
    for (let index = 0; index < kinds.length; index++) {
      const piece = pieces[index] as Piece // one more than there are kinds
      if (!stands(piece, view, at)) return -1
      at += piece.length
      const kind = kinds[index]
      if (kind === 'space') {
        at = endOfSpace(bytes, at)
        continue
      }
      const found = kind === 'text' ? endOfText(bytes, at) : endOfNumber(bytes, at)
      const end = Math.abs(found)
      if (end <= at) return -1
      // What nobody can know isn't even cut out where nobody asks for it.
      if (used[index] === true || found < 0 || special.likely(bytes[at] as number, end - at)) {
        const value = found < 0 ? readText(chunk, at, end) : plainText(chunk, at, end)
        if (value === undefined || ((found < 0 || special.likely(bytes[at] as number, end - at)) && special(value))) return -1
        values[index] = value
      }
      at = end
    }
    const piece = pieces[kinds.length] as Piece // as above
    return stands(piece, view, at) ? at + piece.length : -1
  }

  /** Probes the rules with two rebuilt frames. */
  const learn = ({ text }: Studied, slots: Token[]): Shape | undefined => {
    const fixed = [0, ...slots.map(({ end }) => end)].map((from, index) => text.slice(from, slots[index]?.start))
    const kinds = slots.map(({ kind }) => kind)
    const [first, second] = [probe(fixed, kinds, ''), probe(fixed, kinds, ' \t')]
    if (first === undefined || second === undefined) return undefined
    if (first.said.length !== second.said.length || first.matched !== second.matched) return undefined
    const said = first.said.map((speech, index) => bind([speech, second.said[index]], [first.values, second.values], kinds))
    if (!said.every((make) => make !== undefined)) return undefined
    const told = JSON.stringify(first.said)
    const used = first.values.map((value) => told.includes(value))
    return { pieces: fixed.map(pieceOf), kinds, used, said, outcome: { matched: first.matched, closed: false } }
  }

  const probe = (fixed: string[], kinds: Token['kind'][], space: string): Probe | undefined => {
    const unknown = kinds.map((kind) => (kind === 'space' ? space : unknowable(kind)))
    if (unknown.some((value, index) => kinds[index] !== 'space' && special(value))) return undefined
    const said: Speech[] = []
    const filtered: unknown[] = []
    const seen = { ...roots, filtered: (value: unknown) => void filtered.push(value) }
    try {
      const frame = revive(fixed.map((piece, index) => piece + (unknown[index] ?? '')).join(''))
      const { matched, closed } = speak(frame, seen, (speech) => void said.push(speech))
      const touched = JSON.stringify(filtered)
      if (closed || unknown.some((value) => value.trim() !== '' && touched.includes(value))) return undefined
      return { said, matched, values: unknown }
    } catch (error) {
      if (error instanceof ModelwireError) return undefined // a frame that fails is no shape to learn
      throw error
    }
  }

  return {
    tell(chunk, at) {
      const { length } = chunk.text
      let from = at
      next: while (from < length) {
        for (let index = 0; index < shapes.length; index++) {
          const shape = shapes[index] as Shape // the index is within bounds
          const end = fit(shape, chunk, from)
          if (end < 0 || end - from > limit) continue
          for (let which = 0; which < shape.said.length; which++) say((shape.said[which] as Make)(values)) // within bounds
          from = end
          if (!count(shape.outcome)) return from
          continue next
        }
        return from
      }
      return from
    },
    study(text) {
      if (roots.started !== true || rest-- > 0) return
      // A stream whose frames have no shape soon isn't looked at any more, but now and then: it may get one.
      rest = ++fruitless > patience ? Math.min(longestRest, 2 ** (fruitless - patience)) : 0
      const tokens = text.includes('\0') ? undefined : tokensOf(text)
      const before = last
      last = tokens === undefined ? undefined : { text, tokens }
      if (before === undefined || last === undefined) return
      const varying = variation(before, last)
      const shape = varying === undefined ? undefined : learn(last, varying)
      if (shape === undefined) return
      fruitless = rest = 0
      shapes.unshift(shape)
      shapes.length = Math.min(shapes.length, mostShapes)
    },
  }
}

interface Probe {
  said: Speech[]
  matched: boolean
  values: string[]
}

/** A value that no rule can know. */
function unknowable(kind: 'text' | 'number'): string {
  return kind === 'text' ? `x${crypto.randomUUID()}` : String(1e9 + Math.floor(Math.random() * 8e9))
}

/** Which tokens differ between two frames that are otherwise the same; undefined when more does, or nothing. */
function variation(before: Studied, after: Studied): Token[] | undefined {
  if (before.tokens.length !== after.tokens.length) return undefined
  const varying: Token[] = []
  let [left, right] = [0, 0]
  for (const [index, token] of after.tokens.entries()) {
    const other = before.tokens[index] as Token // both lists are as long
    if (other.kind !== token.kind || before.text.slice(left, other.start) !== after.text.slice(right, token.start)) return undefined
    if (before.text.slice(other.start, other.end) !== after.text.slice(token.start, token.end)) varying.push(token)
    left = other.end
    right = token.end
  }
  return varying.length > 0 && before.text.slice(left) === after.text.slice(right) ? varying : undefined
}
