import { type Cursor, expect, fail, match, readInteger, readString, skipSpace, take } from './cursor.ts'
import { type Eval, isMap } from './value.ts'
import { compileBeyond } from './beyond.ts'
import { checkName, readCondition, readName, type Test } from './condition.ts'

/**
 * Paths: the part of JSONPath (RFC 9535) that manifests need, compiled to closures. A singular path gives a value, any
 * other a list. Steps beyond it (`..`, slices, unions) are read here too and handed on; see beyond.ts.
 */
export type Step =
  | { kind: 'name'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'all' }
  | { kind: 'filter'; test: Test }
  | { kind: 'beyond'; text: string; select: (node: unknown) => unknown[] }

export const rootNames = ['request', 'headers', 'status', 'env', 'start', 'now'] as const
export type RootName = (typeof rootNames)[number]

export interface Path {
  root: RootName | undefined
  steps: Step[]
  text: string
  /** Literals that a filter compares `@.type` with. */
  types: string[]
}

const maxLength = 256

/** Reads a path that starts with `$`. It sees no more of the text than a path may have, so that nothing in it can nest too deep. */
export function readPath(whole: Cursor): Path {
  const start = whole.at
  const cursor: Cursor = { text: whole.text.slice(0, start + maxLength + 1), at: start }
  const path = readSteps(cursor)
  whole.at = cursor.at
  return path
}

function readSteps(cursor: Cursor): Path {
  const start = cursor.at
  expect(cursor, '$')
  const path: Path = { root: readRoot(cursor), steps: [], text: '', types: [] }
  for (;;) {
    const step = readStep(cursor, path)
    if (step === undefined) break
    path.steps.push(step)
  }
  path.text = cursor.text.slice(start, cursor.at)
  if (path.text.length > maxLength) fail({ text: cursor.text, at: start }, `a path of at most ${maxLength} characters`)
  if (path.steps.filter((step) => step.kind === 'all').length > 3) {
    fail({ text: cursor.text, at: start }, 'a path with at most three wildcards')
  }
  if (path.steps.filter((step) => step.kind === 'beyond' && step.text.startsWith('..')).length > 1) {
    fail({ text: cursor.text, at: start }, 'a path with at most one ".."')
  }
  return path
}

function readRoot(cursor: Cursor): RootName | undefined {
  const word = match(cursor, /[A-Za-z]\w*/y)
  if (word === undefined) return undefined
  const root = rootNames.find((name) => name === word)
  if (root !== undefined) return root
  cursor.at -= word.length
  return fail(
    cursor,
    `"." or one of ${rootNames.map((name) => `$${name}`).join(', ')}`,
    `write "$$${word}" for a literal "$${word}", "$.${word}" for the field`,
  )
}

/** What is read is a step of ours, or one that is well written and beyond us. */
type Read = Step | 'beyond'

function readStep(cursor: Cursor, path: Path): Step | undefined {
  const start = cursor.at
  const step = readOwn(cursor, path)
  if (step !== 'beyond') return step
  const text = cursor.text.slice(start, cursor.at)
  return { kind: 'beyond', text, select: compileBeyond(text, start) }
}

function readOwn(cursor: Cursor, path: Path): Read | undefined {
  if (take(cursor, '..')) return readDescent(cursor)
  if (take(cursor, '.')) return take(cursor, '*') ? { kind: 'all' } : named(readName(cursor))
  if (!take(cursor, '[')) return undefined
  skipSpace(cursor)
  const step = readBracket(cursor, path)
  skipSpace(cursor)
  expect(cursor, ']')
  return step
}

function named(name: string): Step {
  return { kind: 'name', name }
}

function readDescent(cursor: Cursor): 'beyond' {
  if (take(cursor, '[')) {
    readBracket(cursor, undefined)
    skipSpace(cursor)
    expect(cursor, ']')
  } else if (!take(cursor, '*')) {
    readName(cursor)
  }
  return 'beyond'
}

function readBracket(cursor: Cursor, path: Path | undefined): Read {
  if (take(cursor, '*')) return { kind: 'all' }
  if (path !== undefined && take(cursor, '?')) return { kind: 'filter', test: readCondition(cursor, path.types) }
  const members: Read[] = []
  do {
    skipSpace(cursor)
    members.push(readMember(cursor))
    skipSpace(cursor)
  } while (take(cursor, ','))
  const [only] = members
  return members.length === 1 && only !== undefined ? only : 'beyond'
}

function readMember(cursor: Cursor): Read {
  const name = readString(cursor)
  if (name !== undefined) return named(checkName(cursor, name))
  const from = readInteger(cursor)
  skipSpace(cursor)
  if (take(cursor, ':')) {
    skipSpace(cursor)
    readInteger(cursor)
    skipSpace(cursor)
    if (take(cursor, ':')) {
      skipSpace(cursor)
      readInteger(cursor)
    }
    return 'beyond'
  }
  return from === undefined ? fail(cursor, 'an index, a quoted name, "*" or "?"') : { kind: 'index', index: from }
}

// ---- compilation -------------------------------------------------------------------------------------------------

export function isSingular(path: Path): boolean {
  return path.steps.every((step) => step.kind === 'name' || step.kind === 'index')
}

export function compilePath(path: Path): Eval {
  const root = path.root
  const select = compileSteps(path)
  if (root === undefined) return select
  return (_at, roots) => select(roots[root] ?? undefined, roots)
}

function compileSteps(path: Path): Eval {
  if (isSingular(path)) return compileSingular(path.steps)
  // What isn't there at all, as most optional lists, is found out before any list is made.
  const split = path.steps.findIndex((step) => step.kind !== 'name' && step.kind !== 'index')
  const before = compileSingular(path.steps.slice(0, split))
  const nodes = compileNodes({ ...path, steps: path.steps.slice(split) })
  return (at, roots) => {
    const from = before(at, roots)
    if (from === undefined) return undefined
    const found = nodes(from)
    if (found.length === 0) return undefined
    const some = found.some(isNothing) ? found.filter((node) => !isNothing(node)) : found
    return some.length === 0 ? undefined : some
  }
}

function isNothing(node: unknown): boolean {
  return node === null || node === undefined
}

/** The RFC's list of nodes, nulls included. */
export function compileNodes(path: Path): (at: unknown) => unknown[] {
  const select = path.steps.reduceRight<Select>(compileChildren, (node, to) => to.push(node))
  return (at) => {
    const nodes: unknown[] = []
    select(at, nodes)
    return nodes
  }
}

/** Adds what a step and those after it find below a node. */
type Select = (node: unknown, to: unknown[]) => void

function compileChildren(then: Select, step: Step): Select {
  switch (step.kind) {
    case 'name': {
      const { name } = step
      return (node, to) => {
        if (isMap(node) && Object.hasOwn(node, name)) then(node[name], to)
      }
    }
    case 'index': {
      const { index } = step
      return (node, to) => {
        if (Array.isArray(node) && inside(node, index)) then(node.at(index), to)
      }
    }
    case 'all':
      return (node, to) => {
        for (const value of values(node)) then(value, to)
      }
    case 'filter': {
      const { test } = step
      return (node, to) => {
        for (const value of values(node)) if (test(value)) then(value, to)
      }
    }
    case 'beyond': {
      const { select } = step
      return (node, to) => {
        for (const value of select(node)) then(value, to)
      }
    }
    default:
      return step satisfies never
  }
}

function inside(list: unknown[], index: number): boolean {
  return index < list.length && index >= -list.length
}

function values(node: unknown): unknown[] {
  return Array.isArray(node) ? node : isMap(node) ? Object.values(node) : []
}

/**
 * One closure a step, unrolled for the lengths that occur: measured, a loop over steps costs twice as much. The own-property
 * check stands behind the load, so that the many optional fields that aren't there don't pay for it.
 */
function compileSingular(steps: readonly Step[]): Eval {
  const [first, second, third, ...rest] = steps.map(compileStep)
  if (first === undefined) return (at) => at ?? undefined
  if (second === undefined) return first
  if (third === undefined) return (at) => second(first(at))
  if (rest.length === 0) return (at) => third(second(first(at)))
  return (at) => rest.reduce<unknown>((value, step) => step(value), third(second(first(at))))
}

function compileStep(step: Step): (at: unknown) => unknown {
  if (step.kind === 'index') {
    const index = step.index
    return (at) => (Array.isArray(at) ? (at.at(index) ?? undefined) : undefined)
  }
  const name = step.kind === 'name' ? step.name : ''
  return (at) => {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined
    const value = (at as Record<string, unknown>)[name] // an object that isn't a list; what it inherits is sorted out next
    return value === undefined || value === null || !Object.hasOwn(at, name) ? undefined : value
  }
}

/** The first field that a path reads of its root, and the second where it goes on by name: for the check of unused fields. */
export function readsOf(path: Path): string[] {
  const names: string[] = []
  for (const step of path.steps) {
    if (step.kind !== 'name') break
    names.push(step.name)
  }
  return names
}
