import { ModelwireError } from '../core/error.ts'
import type { Roots } from '../lang/value.ts'
import { bind, type Make } from './bind.ts'
import type { Say } from './dispatch.ts'
import type { Cut, Found, Frame } from './operator.ts'
import { type Piece, pieceOf } from './piece.ts'
import { isReplaced, type Speech } from './speech.ts'
import { emptied, type Studied, type Token } from './tokens.ts'
import type { Special } from './words.ts'

/** What frames have in common that differ in some values only, and what is said of each. */
export interface Shape {
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

/** What is said of a frame, and which of its slots that takes. */
export interface Telling {
  said: Make[]
  used: boolean[]
}

/** What the rules said of a frame. */
export interface Outcome {
  matched: boolean
  closed: boolean
}

/** How frames are read that are parsed. */
export interface Rehearsal {
  /** Parses a frame. */
  revive(found: Found): Frame
  /** The rules. */
  speak(frame: Frame, roots: Roots, say: Say): Outcome
  readonly special: Special
}

/** Probes the rules with two frames rebuilt from this one, with values that nobody can know; undefined when it is no shape to learn. */
export function shapeOf(example: Studied, rehearsal: Rehearsal, cut: Cut): Shape | undefined {
  const slots = example.tokens.filter(({ varies }) => varies)
  const fixed = [0, ...slots.map(({ end }) => end)].map((from, index) => example.text.slice(from, slots[index]?.start))
  const kinds = slots.map(({ kind }) => kind)
  const [first, second] = [probe(fixed, kinds, '', rehearsal, cut), probe(fixed, kinds, ' \t', rehearsal, cut)]
  if (first === undefined || second === undefined) return undefined
  if (first.said.length !== second.said.length || first.matched !== second.matched) return undefined
  const makes = first.said.map((speech, index) => bind([speech, second.said[index]], [first.values, second.values], kinds))
  if (!makes.every((make) => make !== undefined)) return undefined
  // A kind of which one adds to another is said in its order.
  const adding = new Set(first.said.filter((speech) => !isReplaced(speech)).map(({ type }) => type))
  const telling = (late: boolean): Telling => {
    const isChosen = (speech: Speech): boolean => (isReplaced(speech) && !adding.has(speech.type)) === late
    const told = JSON.stringify(first.said.filter(isChosen))
    return {
      said: makes.filter((_, index) => isChosen(first.said[index] as Speech)), // as many as there are makes
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

interface Probe {
  said: Speech[]
  matched: boolean
  values: string[]
}

function probe(fixed: string[], kinds: Token['kind'][], space: string, rehearsal: Rehearsal, cut: Cut): Probe | undefined {
  const unknown = kinds.map((kind) => (kind === 'space' ? space : unknowable(kind)))
  if (unknown.some((value, index) => kinds[index] !== 'space' && rehearsal.special(value))) return undefined
  const said: Speech[] = []
  const { seen, filtered, beyond } = watched()
  try {
    const found = cut(fixed.map((piece, index) => piece + (unknown[index] ?? '')).join(''))
    if (found === undefined) return undefined
    const { matched, closed } = rehearsal.speak(rehearsal.revive(found), seen, (speech) => void said.push(speech))
    const touched = JSON.stringify(filtered)
    if (closed || beyond() || unknown.some((value) => value.trim() !== '' && touched.includes(value))) return undefined
    return { said, matched, values: unknown }
  } catch (error) {
    if (error instanceof ModelwireError) return undefined // a frame that fails is no shape to learn
    throw error
  }
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
