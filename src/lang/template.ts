import { firstOf, mergeOf, minusOf, sumOf } from './combine.ts'
import { compileSource, compileTest, type Context, guarded, noted, type Place } from './context.ts'
import { compileText } from './expr.ts'
import { type Eval, isMap, type PlainMap } from './value.ts'
import { chosen, constant, listed, type Template, valued, type Write, writeMap, writeMember } from './written.ts'

const nothing = constant(undefined)

/** Compiles a node of YAML to a closure that makes its value. */
export function compileTemplate(node: unknown, context: Context, place: Place): Eval {
  return compile(node, context, place).eval
}

/** Compiles a node of YAML. A key whose value is nothing is left out; a map or list of nothing is nothing. */
export function compile(node: unknown, context: Context, place: Place): Template {
  if (typeof node === 'string') return compileString(node, context, place)
  if (Array.isArray(node)) return compileList(node, context)
  if (isMap(node)) return isConstruct(node) ? compileConstruct(node, context, place) : compileMap(node, context)
  return constant(node ?? undefined)
}

function compileString(text: string, context: Context, place: Place): Template {
  if (!text.includes('$')) return constant(text)
  return guarded(context, place, nothing, () => valued(noted((context.text ?? compileText)(text), context).eval))
}

// ---- maps and lists ----------------------------------------------------------------------------------------------

function isConstruct(node: PlainMap): boolean {
  return Object.keys(node).some((key) => key.startsWith('$'))
}

function compileMap(node: PlainMap, context: Context): Template {
  const keys = Object.keys(node)
  if (keys.length === 0) return valued(() => ({}))
  const values = keys.map((key) => compile(node[key], context, { container: node, key }))
  const evals = values.map((value) => value.eval)
  const write = writeMap(keys, values)
  return {
    eval(at, roots) {
      let out: PlainMap | undefined
      for (let index = 0; index < keys.length; index++) {
        const value = evals[index]?.(at, roots)
        if (value === undefined || value === null) continue
        out ??= {}
        out[keys[index] as string] = value // the index is within bounds; no key of a manifest is `__proto__`
      }
      if (out !== undefined) roots.origins?.set(out, node)
      return out
    },
    write,
    items: write,
  }
}

function compileList(node: unknown[], context: Context): Template {
  if (node.length === 0) return valued(() => [])
  const members = node.map((item, key) => {
    const splice = isMap(item) && isConstruct(item)
    const made = compile(item, context, { container: node, key })
    return { splice, eval: made.eval, write: splice ? made.items : made.write }
  })
  return listed(
    (at, roots) => {
      const out: unknown[] = []
      for (const item of members) {
        const value = item.eval(at, roots)
        if (value === undefined || value === null) continue
        if (item.splice && Array.isArray(value)) out.push(...value)
        else out.push(value)
      }
      return out.length === 0 ? undefined : out
    },
    (at, roots, out) => {
      let some = false
      for (const { write } of members) if (writeMember(write, some, at, roots, out)) some = true
      return some
    },
  )
}

// ---- constructs --------------------------------------------------------------------------------------------------

type Construct = (node: PlainMap, context: Context, place: Place) => Template

const constructs: Record<string, { compile: Construct; keys: readonly string[] | 'any' }> = {
  $each: { compile: compileEach, keys: ['$each', '$where', '$do'] },
  $at: { compile: compileAt, keys: ['$at', '$do'] },
  $switch: { compile: compileSwitch, keys: 'any' },
  $if: { compile: compileIf, keys: ['$if', '$then', '$else'] },
  $use: { compile: compileUse, keys: ['$use'] },
  $first: { compile: (node, context) => valued(firstOf(compileMembers(node, '$first', context))), keys: ['$first'] },
  $sum: { compile: (node, context) => valued(sumOf(compileMembers(node, '$sum', context))), keys: ['$sum'] },
  $minus: { compile: (node, context) => valued(minusOf(compileMembers(node, '$minus', context))), keys: ['$minus'] },
  $merge: { compile: (node, context) => valued(mergeOf(compileMembers(node, '$merge', context), node.$merge)), keys: ['$merge'] },
  $rest: { compile: compileRest, keys: ['$rest'] },
}

/** The names of the constructs, for the reference page and the schema's check. */
export const constructNames = Object.keys(constructs)

function compileConstruct(node: PlainMap, context: Context, place: Place): Template {
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

function compileEach(node: PlainMap, context: Context): Template {
  const source = compileSource(node.$each, context, { container: node, key: '$each' })
  const inner = below(context)
  const where = '$where' in node ? compileTest(node.$where, inner, { container: node, key: '$where' }) : undefined
  const body = '$do' in node ? compile(node.$do, inner, { container: node, key: '$do' }) : valued((at) => at)
  const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])
  return listed(
    (at, roots) => {
      const value = source(at, roots)
      if (value === undefined) return undefined
      const out: unknown[] = []
      for (const item of listOf(value)) {
        if (where !== undefined && !where(item)) continue
        const made = body.eval(item, roots)
        if (made === undefined || made === null) continue
        if (Array.isArray(made)) out.push(...made)
        else out.push(made)
      }
      return out.length === 0 ? undefined : out
    },
    (at, roots, out) => {
      const value = source(at, roots)
      if (value === undefined) return false
      let some = false
      for (const item of listOf(value)) {
        if (where !== undefined && !where(item)) continue
        if (writeMember(body.items, some, item, roots, out)) some = true
      }
      return some
    },
  )
}

function compileAt(node: PlainMap, context: Context): Template {
  const source = compileSource(node.$at, context, { container: node, key: '$at' })
  const body = compile(node.$do, below(context), { container: node, key: '$do' })
  const writing =
    (write: Write): Write =>
    (at, roots, out) => {
      const value = source(at, roots)
      return value !== undefined && write(value, roots, out)
    }
  return {
    eval(at, roots) {
      const value = source(at, roots)
      return value === undefined ? undefined : body.eval(value, roots)
    },
    write: writing(body.write),
    items: writing(body.items),
  }
}

function compileSwitch(node: PlainMap, context: Context): Template {
  const place = { container: node, key: '$switch' }
  const source = compileSource(node.$switch, context, place)
  const cases = new Map<string, Template>()
  for (const key of Object.keys(node)) {
    if (key.startsWith('$')) continue
    cases.set(key, compile(node[key], context, { container: node, key }))
    if (typeof node.$switch === 'string' && node.$switch.endsWith('.type')) context.types.add(key)
    // A turn of the role `tool` holds results and nothing else.
    if (typeof node.$switch === 'string' && node.$switch.endsWith('.role') && key === 'tool') context.types.add('tool_result')
  }
  const otherwise = '$else' in node ? compile(node.$else, context, { container: node, key: '$else' }) : undefined
  const text = String(node.$switch)
  return chosen((at, roots) => {
    const value = source(at, roots)
    const choice = value === undefined ? otherwise : (cases.get(String(value)) ?? otherwise)
    if (choice === undefined && value !== undefined) roots.miss?.(text, value, context.where(place))
    return choice ?? nothing
  })
}

function compileIf(node: PlainMap, context: Context): Template {
  const test = compileTest(node.$if, context, { container: node, key: '$if' })
  const branch = (key: '$then' | '$else'): Template =>
    key in node ? compile(node[key], context, { container: node, key }) : nothing
  const [yes, no] = [branch('$then'), branch('$else')]
  return chosen((at) => (test(at) ? yes : no))
}

function compileUse(node: PlainMap, context: Context): Template {
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
  let target = nothing
  const call = chosen(() => target) // bound late: a fragment may use itself further down in the data
  context.fragments.set(memo, call)
  target = compile(context.define[name], { ...context, open: [...context.open, name] }, { container: context.define, key: name })
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

/** `$rest` gives the whole map; the `$merge` around it takes away the keys that its siblings read. */
function compileRest(node: PlainMap, context: Context): Template {
  return valued(compileSource(node.$rest, context, { container: node, key: '$rest' }))
}
