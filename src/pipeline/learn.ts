import { ModelwireError } from '../core/error.ts'
import { isMap, type PlainMap, type Roots } from '../lang/value.ts'
import type { Say } from './dispatch.ts'
import type { Frame } from './operator.ts'
import type { Speech } from './speech.ts'
import { endOfNumber, endOfSpace, endOfText, readText, type Token, tokensOf } from './tokens.ts'
import type { Special } from './words.ts'

/** What the rules said of a frame. */
export interface Outcome {
  matched: boolean
  closed: boolean
}

/** The rules, as they would run on a frame that was parsed. */
export type Speak = (frame: Frame, roots: Roots, say: Say) => Outcome

/**
 * A decoder that learns the shape of a stream. Consecutive frames mostly differ in one or two plain values. Once two have
 * been seen that differ so, the frame is rebuilt twice with values that nobody can know and given to the rules: what they
 * pass on unchanged is bound to its place in the text, and what comes out the same both times doesn't depend on it. A
 * later frame whose other characters are identical then says the same with its own values, without being parsed.
 *
 * It is sound because rules can do only three things with a text besides passing it on: compare it with a word of the
 * manifest, look whether it is blank, or give it to a filter. Words (`special`) and blanks go the full way; a shape
 * whose value reaches a filter, or stands in a list or map that is said, isn't learnt. Anything unlike is parsed.
 */
export interface Learner {
  /** Says what the rules would say of this frame; false when its shape isn't known. */
  tell(text: string, tag: string | undefined): Outcome | undefined
  /** Looks at a frame that went the full way. */
  study(text: string, tag: string | undefined): void
}

interface Shape {
  tag: string | undefined
  /** The text around the slots: one more than there are slots. */
  fixed: string[]
  kinds: Token['kind'][]
  values: string[]
  said: Said[]
  outcome: Outcome
}

/** One speech: what is always so, and which field gets which slot's value. */
interface Said {
  always: PlainMap
  slots: [field: string, slot: number][]
}

interface Studied {
  text: string
  tag: string | undefined
  tokens: Token[]
}

const mostShapes = 4
const patience = 8
const longestRest = 256

export function createLearner(
  speak: Speak,
  roots: Roots,
  special: Special,
  say: Say,
  revive: (text: string, tag: string | undefined) => Frame,
): Learner {
  const shapes: Shape[] = []
  let last: Studied | undefined
  let fruitless = 0
  let rest = 0

  return {
    tell(text, tag) {
      for (let index = 0; index < shapes.length; index++) {
        const shape = shapes[index] as Shape // the index is within bounds
        if (shape.tag !== tag || !fits(shape, text, special)) continue
        for (let at = 0; at < shape.said.length; at++) say(spoken(shape.said[at] as Said, shape.values)) // within bounds
        return shape.outcome
      }
      return undefined
    },
    study(text, tag) {
      if (roots.started !== true || rest-- > 0) return
      // A stream whose frames have no shape soon isn't looked at any more, but now and then: it may get one.
      rest = ++fruitless > patience ? Math.min(longestRest, 2 ** (fruitless - patience)) : 0
      const tokens = tokensOf(text)
      const before = last
      last = tokens === undefined ? undefined : { text, tag, tokens }
      if (before === undefined || last === undefined || before.tag !== tag) return
      const varying = variation(before, last)
      if (varying === undefined) return
      const shape = learn(last, varying, { speak, roots, special, revive })
      if (shape === undefined) return
      fruitless = rest = 0
      shapes.unshift(shape)
      shapes.length = Math.min(shapes.length, mostShapes)
    },
  }
}

/** A speech like the one that was learnt, with this frame's values. */
function spoken({ always, slots }: Said, values: string[]): Speech {
  const speech = { ...always }
  for (let index = 0; index < slots.length; index++) {
    const [field, slot] = slots[index] as [string, number] // within bounds
    speech[field] = values[slot]
  }
  return speech as unknown as Speech // made of a speech, with a text where there was one
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

interface Teacher {
  speak: Speak
  roots: Roots
  special: Special
  revive: (text: string, tag: string | undefined) => Frame
}

/** Probes the rules with two rebuilt frames. */
function learn({ text, tag }: Studied, slots: Token[], teacher: Teacher): Shape | undefined {
  const fixed = [0, ...slots.map(({ end }) => end)].map((from, index) => text.slice(from, slots[index]?.start))
  const kinds = slots.map(({ kind }) => kind)
  const first = probe(fixed, kinds, tag, teacher)
  const second = probe(fixed, kinds, tag, teacher)
  if (first === undefined || second === undefined || first.said.length !== second.said.length || first.matched !== second.matched)
    return undefined
  const said = first.said.map((speech, index) => bind(speech, second.said[index] as PlainMap, first.values, second.values, kinds)) // as long
  if (said.some((one) => one === undefined)) return undefined
  return {
    tag,
    fixed,
    kinds,
    values: kinds.map(() => ''),
    said: said as Said[],
    outcome: { matched: first.matched, closed: false },
  } // none is undefined
}

interface Probe {
  said: PlainMap[]
  matched: boolean
  values: string[]
}

function probe(
  fixed: string[],
  kinds: Token['kind'][],
  tag: string | undefined,
  { speak, roots, special, revive }: Teacher,
): Probe | undefined {
  const values = kinds.map(unknowable)
  if (values.some(special)) return undefined
  const text = fixed.map((piece, index) => piece + (values[index] ?? '')).join('')
  const said: PlainMap[] = []
  const filtered: unknown[] = []
  try {
    const frame = revive(text, tag)
    const seen = { ...roots, filtered: (value: unknown) => void filtered.push(value) }
    const { matched, closed } = speak(frame, seen, (speech) => said.push(speech as unknown as PlainMap))
    const touched = JSON.stringify(filtered)
    return closed || values.some((value) => value.trim() !== '' && touched.includes(value)) ? undefined : { said, matched, values }
  } catch (error) {
    if (error instanceof ModelwireError) return undefined // a frame that fails is no shape to learn
    throw error
  }
}

/** A value that no rule can know. */
function unknowable(kind: Token['kind']): string {
  if (kind === 'space') return ' '
  return kind === 'text' ? `x${crypto.randomUUID()}` : String(1e9 + Math.floor(Math.random() * 8e9))
}

/** Compares what was said of both probes, field by field. */
function bind(first: PlainMap, second: PlainMap, firsts: string[], seconds: string[], kinds: Token['kind'][]): Said | undefined {
  const always: PlainMap = {}
  const slots: Said['slots'] = []
  if (Object.keys(first).join() !== Object.keys(second).join()) return undefined
  for (const [field, value] of Object.entries(first)) {
    if (Array.isArray(value) || isMap(value) || ArrayBuffer.isView(value)) return undefined // one object can't be said of many frames
    const slot = firsts.findIndex((text, index) => kinds[index] === 'text' && text === value && seconds[index] === second[field])
    if (slot >= 0) slots.push([field, slot])
    else if (value !== second[field]) return undefined
    always[field] = slot >= 0 ? '' : value
  }
  return { always, slots }
}

/** Whether a text has the shape; its values are then in `shape.values`. */
function fits(shape: Shape, text: string, special: Special): boolean {
  const { fixed, kinds, values } = shape
  let at = 0
  for (let index = 0; index < kinds.length; index++) {
    const piece = fixed[index] as string // one more than there are kinds
    // Measured: comparing slices is faster than startsWith.
    if (text.slice(at, at + piece.length) !== piece) return false
    at += piece.length
    const kind = kinds[index]
    const end = kind === 'text' ? endOfText(text, at) : kind === 'number' ? endOfNumber(text, at) : endOfSpace(text, at)
    if (end <= at) return false
    if (kind !== 'space') {
      const value = kind === 'text' ? readText(text, at, end) : text.slice(at, end)
      if (value === undefined || special(value)) return false
      values[index] = value
    }
    at = end
  }
  return text.slice(at) === fixed[kinds.length]
}
