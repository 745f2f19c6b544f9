import { compileSource, compileTest, type Context, guarded, noted, type Place } from './context.ts'
import { compileText } from './expr.ts'
import { type Eval, isBlank, isMap, type PlainMap } from './value.ts'

const nothing: Eval = () => undefined

/** Compiles a node of YAML to a closure. A key whose value is nothing is left out; a map or list of nothing is nothing. */
export function compileTemplate(node: unknown, context: Context, place: Place): Eval {
  if (typeof node === 'string') return compileString(node, context, place)
  if (Array.isArray(node)) return compileList(node, context)
  if (isMap(node)) return isConstruct(node) ? compileConstruct(node, context, place) : compileMap(node, context)
  const value = node ?? undefined
  return () => value
}

function compileString(text: string, context: Context, place: Place): Eval {
  return guarded(context, place, nothing, () => noted((context.text ?? compileText)(text), context).eval)
}

// ---- maps and lists ----------------------------------------------------------------------------------------------

function isConstruct(node: PlainMap): boolean {
  return Object.keys(node).some((key) => key.startsWith('$'))
}

function compileMap(node: PlainMap, context: Context): Eval {
  const keys = Object.keys(node)
  if (keys.length === 0) return () => ({})
  const values = keys.map((key) => compileTemplate(node[key], context, { container: node, key }))
  return (at, roots) => {
    let out: PlainMap | undefined
    for (let index = 0; index < keys.length; index++) {
      const value = values[index]?.(at, roots)
      if (value === undefined || value === null) continue
      out ??= {}
      out[keys[index] as string] = value // the index is within bounds; no key of a manifest is `__proto__`
    }
    if (out !== undefined) roots.origins?.set(out, node)
    return out
  }
}

function compileList(node: unknown[], context: Context): Eval {
  if (node.length === 0) return () => []
  const items = node.map((item, key) => ({
    splice: isMap(item) && isConstruct(item),
    eval: compileTemplate(item, context, { container: node, key }),
  }))
  return (at, roots) => {
    const out: unknown[] = []
    for (const item of items) {
      const value = item.eval(at, roots)
      if (value === undefined || value === null) continue
      if (item.splice && Array.isArray(value)) out.push(...value)
      else out.push(value)
    }
    return out.length === 0 ? undefined : out
  }
}

// ---- constructs --------------------------------------------------------------------------------------------------

type Construct = (node: PlainMap, context: Context, place: Place) => Eval

const constructs: Record<string, { compile: Construct; keys: readonly string[] | 'any' }> = {
  $each: { compile: compileEach, keys: ['$each', '$where', '$do'] },
  $at: { compile: compileAt, keys: ['$at', '$do'] },
  $switch: { compile: compileSwitch, keys: 'any' },
  $if: { compile: compileIf, keys: ['$if', '$then', '$else'] },
  $use: { compile: compileUse, keys: ['$use'] },
  $first: { compile: compileFirst, keys: ['$first'] },
  $sum: { compile: compileSum, keys: ['$sum'] },
  $minus: { compile: compileMinus, keys: ['$minus'] },
  $merge: { compile: compileMerge, keys: ['$merge'] },
  $rest: { compile: compileRest, keys: ['$rest'] },
}

/** The names of the constructs, for the reference page and the schema's check. */
export const constructNames = Object.keys(constructs)

function compileConstruct(node: PlainMap, context: Context, place: Place): Eval {
  const name = Object.keys(node).find((key) => Object.hasOwn(constructs, key))
  const construct = name === undefined ? undefined : constructs[name]
  if (construct === undefined) {
    const first = Object.keys(node).find((key) => key.startsWith('$')) ?? ''
    context.report({
      message: `expected one of ${constructNames.join(', ')}, got ${first}`,
      place: { container: node, key: first },
    })
    return nothing
  }
  const { keys } = construct
  for (const key of Object.keys(node)) {
    if (keys === 'any' ? !key.startsWith('$') || key === '$switch' || key === '$else' : keys.includes(key)) continue
    const allowed = keys === 'any' ? '$switch, $else and the cases' : keys.join(', ')
    context.report({ message: `expected ${allowed} beside ${name ?? ''}, got ${key}`, place: { container: node, key } })
  }
  return construct.compile(node, context, place)
}

/** A context for what is evaluated on a selected value: `$` is no longer the request, and a fragment may use itself again. */
function below(context: Context): Context {
  return { ...context, atRequest: false, open: [] }
}

function compileEach(node: PlainMap, context: Context): Eval {
  const source = compileSource(node.$each, context, { container: node, key: '$each' })
  const inner = below(context)
  const where = '$where' in node ? compileTest(node.$where, inner, { container: node, key: '$where' }) : undefined
  const body: Eval = '$do' in node ? compileTemplate(node.$do, inner, { container: node, key: '$do' }) : (at) => at
  return (at, roots) => {
    const value = source(at, roots)
    if (value === undefined) return undefined
    const out: unknown[] = []
    for (const item of Array.isArray(value) ? value : [value]) {
      if (where !== undefined && !where(item)) continue
      const made = body(item, roots)
      if (made === undefined || made === null) continue
      if (Array.isArray(made)) out.push(...made)
      else out.push(made)
    }
    return out.length === 0 ? undefined : out
  }
}

function compileAt(node: PlainMap, context: Context): Eval {
  const source = compileSource(node.$at, context, { container: node, key: '$at' })
  const body = compileTemplate(node.$do, below(context), { container: node, key: '$do' })
  return (at, roots) => {
    const value = source(at, roots)
    return value === undefined ? undefined : body(value, roots)
  }
}

function compileSwitch(node: PlainMap, context: Context): Eval {
  const place = { container: node, key: '$switch' }
  const source = compileSource(node.$switch, context, place)
  const cases = new Map<string, Eval>()
  for (const key of Object.keys(node)) {
    if (key.startsWith('$')) continue
    cases.set(key, compileTemplate(node[key], context, { container: node, key }))
    if (typeof node.$switch === 'string' && node.$switch.endsWith('.type')) context.types.add(key)
    // A turn of the role `tool` holds results and nothing else.
    if (typeof node.$switch === 'string' && node.$switch.endsWith('.role') && key === 'tool') context.types.add('tool_result')
  }
  const otherwise = '$else' in node ? compileTemplate(node.$else, context, { container: node, key: '$else' }) : undefined
  const text = String(node.$switch)
  return (at, roots) => {
    const value = source(at, roots)
    const chosen = value === undefined ? otherwise : (cases.get(String(value)) ?? otherwise)
    if (chosen !== undefined) return chosen(at, roots)
    if (value !== undefined) roots.miss?.(text, value, context.where(place))
    return undefined
  }
}

function compileIf(node: PlainMap, context: Context): Eval {
  const test = compileTest(node.$if, context, { container: node, key: '$if' })
  const branch = (key: '$then' | '$else'): Eval =>
    key in node ? compileTemplate(node[key], context, { container: node, key }) : nothing
  const [yes, no] = [branch('$then'), branch('$else')]
  return (at, roots) => (test(at) ? yes(at, roots) : no(at, roots))
}

function compileUse(node: PlainMap, context: Context): Eval {
  const name = String(node.$use)
  const place = { container: node, key: '$use' }
  if (!Object.hasOwn(context.define, name)) {
    context.report({
      message: `expected the name of a fragment, got "${name}"`,
      hint: `\`define\` has ${Object.keys(context.define).join(', ') || 'none'}`,
      place,
    })
    return nothing
  }
  if (context.open.includes(name)) {
    context.report({
      message: `the fragment "${name}" uses itself without going down into the data (${[...context.open, name].join(' → ')})`,
      place,
    })
    return nothing
  }
  const memo = `${context.atRequest ? 'request' : 'item'} ${name}`
  const known = context.fragments.get(memo)
  if (known !== undefined) return known
  let target: Eval = nothing
  const call: Eval = (at, roots) => target(at, roots) // bound late: a fragment may use itself further down in the data
  context.fragments.set(memo, call)
  target = compileTemplate(
    context.define[name],
    { ...context, open: [...context.open, name] },
    { container: context.define, key: name },
  )
  return call
}

function compileMembers(node: PlainMap, key: string, context: Context): Eval[] {
  const members = node[key]
  if (!Array.isArray(members)) {
    context.report({ message: `expected a list for ${key}, got ${JSON.stringify(members)}`, place: { container: node, key } })
    return []
  }
  return members.map((member, index) => compileTemplate(member, context, { container: members, key: index }))
}

function compileFirst(node: PlainMap, context: Context): Eval {
  const members = compileMembers(node, '$first', context)
  return (at, roots) => {
    for (const member of members) {
      const value = member(at, roots)
      if (!isBlank(value)) return value
    }
    return undefined
  }
}

function numbers(members: Eval[]): (...args: Parameters<Eval>) => number[] {
  return (at, roots) => members.map((member) => member(at, roots)).filter((value) => typeof value === 'number')
}

function compileSum(node: PlainMap, context: Context): Eval {
  const list = numbers(compileMembers(node, '$sum', context))
  return (at, roots) => {
    const found = list(at, roots)
    return found.length === 0 ? undefined : found.reduce((sum, value) => sum + value, 0)
  }
}

function compileMinus(node: PlainMap, context: Context): Eval {
  const [first = nothing, ...others] = compileMembers(node, '$minus', context)
  const rest = numbers(others)
  return (at, roots) => {
    const value = first(at, roots)
    return typeof value === 'number' ? rest(at, roots).reduce((left, right) => left - right, value) : undefined
  }
}

function compileMerge(node: PlainMap, context: Context): Eval {
  const members = compileMembers(node, '$merge', context)
  const rest = (Array.isArray(node.$merge) ? node.$merge : []).map((member) => isMap(member) && '$rest' in member)
  const siblings = namesRead(node.$merge)
  return (at, roots) => {
    let out: PlainMap | undefined
    members.forEach((member, index) => {
      const value = member(at, roots)
      if (!isMap(value)) return
      const left = rest[index] === true ? Object.fromEntries(Object.entries(value).filter(([key]) => !siblings.has(key))) : value
      out = Object.assign(out ?? {}, left)
    })
    return out === undefined || Object.keys(out).length === 0 ? undefined : out
  }
}

/** `$rest` gives the whole map; the `$merge` around it takes away the keys that its siblings read. */
function compileRest(node: PlainMap, context: Context): Eval {
  return compileSource(node.$rest, context, { container: node, key: '$rest' })
}

/** The names that the texts below a node read first (`$.model` → `model`). */
function namesRead(node: unknown): Set<string> {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'string') for (const [, name = ''] of value.matchAll(/\$\.([\w-]+)/g)) names.add(name)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit(node)
  return names
}
