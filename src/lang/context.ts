import { SyntaxFault } from './cursor.ts'
import { compileExpression, type Expression } from './expr.ts'
import { type Path, readsOf } from './path.ts'
import { compilePattern, type Pattern } from './pattern.ts'
import { type Eval, isMap, type PlainMap } from './value.ts'
import type { Template } from './written.ts'

/** Where a node stands: the map or list that holds it, and its key there. */
export interface Place {
  container: object
  key: string | number
}

/** What a compilation knows and gathers. */
export interface Context {
  /** Named fragments. */
  define: PlainMap
  /** Names of the declared variables: what `$env` may read. */
  variables: readonly string[]
  /** Told of each mistake; compilation goes on, so that all are found. */
  report: (fault: { message: string; hint?: string | undefined; place: Place }) => void
  /** `file:line:column` of a place. */
  where: (place: Place) => string
  /** Request fields that templates read, dotted, at most two deep; `*` is all. */
  reads: Set<string>
  /** Values of `type` that templates tell apart. */
  types: Set<string>
  /** What is wrong with reading this field of the request; nothing when it may have it. */
  complain?: (field: string) => string | undefined
  /** Whether `$` is the request itself here. */
  atRequest: boolean
  /** Fragments compiled so far, and those whose evaluation is under way without having gone down into the data. */
  fragments: Map<string, Template>
  open: readonly string[]
  /** How texts are compiled; in an address every inserted value is URL-encoded. */
  text?: (text: string) => Expression
}

const nothing: Eval = () => undefined

/** Runs one piece of compilation; a mistake in it is reported and gives nothing. */
export function guarded<T>(context: Context, place: Place, fallback: T, compile: () => T): T {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    context.report({ message: error.message, hint: error.hint, place })
    return fallback
  }
}

/** Compiles an expression and notes what it reads. */
export function compileSource(text: unknown, context: Context, place: Place): Eval {
  return guarded(context, place, nothing, () => {
    if (typeof text !== 'string' || !text.startsWith('$')) {
      throw new SyntaxFault(`expected a path such as $.name, got ${JSON.stringify(text)}`, 0)
    }
    return noted(compileExpression(text), context).eval
  })
}

/** Compiles a pattern; at the request its keys count as read. */
export function compileTest(node: unknown, context: Context, place: Place): Pattern {
  if (isMap(node)) for (const type of [node.type].flat()) if (typeof type === 'string') context.types.add(type)
  return guarded(
    context,
    place,
    () => false,
    () => {
      if (context.atRequest && isMap(node)) notePattern(node, context)
      return compilePattern(node)
    },
  )
}

export function noted(expression: Expression, context: Context): Expression {
  for (const path of expression.paths) {
    if (path.root === 'env') checkVariable(path, context)
    for (const type of path.types) context.types.add(type)
    if (path.root !== 'request' && !(context.atRequest && path.root === undefined)) continue
    const [first, second] = readsOf(path)
    checkField(first, context)
    context.reads.add(first === undefined ? '*' : second === undefined ? first : `${first}.${second}`)
  }
  return expression
}

function checkField(field: string | undefined, { complain }: Context): void {
  const complaint = field === undefined ? undefined : complain?.(field)
  if (complaint !== undefined) throw new SyntaxFault(complaint, 0)
}

function checkVariable(path: Path, { variables }: Context): void {
  const [name] = readsOf(path)
  if (name !== undefined && path.steps.length === 1 && variables.includes(name)) return
  throw new SyntaxFault(
    `expected a declared variable (${variables.map((known) => `$env.${known}`).join(', ') || 'there is none'}), got ${path.text}`,
    0,
    'declare it in `variables`, with the variables of the environment that may hold it',
  )
}

function notePattern(node: PlainMap, context: Context): void {
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith('$')) continue
    checkField(key, context)
    const inner = isMap(value) ? Object.keys(value).filter((name) => !name.startsWith('$')) : []
    if (inner.length === 0) context.reads.add(key)
    for (const name of inner) context.reads.add(`${key}.${name}`)
  }
}
