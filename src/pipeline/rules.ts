import { compileSource, compileTest, type Context, type Place } from '../lang/context.ts'
import { compileTemplate } from '../lang/template.ts'
import type { Pattern } from '../lang/pattern.ts'
import { type Eval, isBlank, isMap, type PlainMap, type Roots } from '../lang/value.ts'
import { needsOf } from './needs.ts'
import { asksOf, dispatch, type Fields, type Guarded, inOrder, type Rule, type Say } from './dispatch.ts'
import { type Speech, speechFields } from './speech.ts'

/** All rules of an operation: every rule that matches a frame speaks, in the order of the file. */
export interface Rules {
  run: (frame: unknown, roots: Roots, say: Say) => boolean
  /** The kinds that these rules can say. */
  kinds: ReadonlySet<string>
}

const none: Fields = Object.freeze({})

export function compileRules(node: unknown, context: Context, place: Place): Rules {
  const kinds = new Set<string>()
  const rules = compileSet(node, context, place, kinds)
  return { run: (frame, roots, say) => rules(frame, roots, say, none), kinds }
}

/** A named map of rules; `$use` brings a fragment of rules in, whose names the map's own override. */
function compileSet(node: unknown, context: Context, place: Place, kinds: Set<string>): Rule {
  const opened = openFragment(node, context, place)
  const rules: Guarded[] = []
  for (const { name, rule, container, inner } of opened) {
    if (!isMap(rule)) {
      if (rule !== null)
        context.report({
          message: `expected a rule (a map with when, each, where, with, emit, events), got ${JSON.stringify(rule)}`,
          place: { container, key: name },
        })
      continue
    }
    rules.push(compileRule(rule, inner, { container, key: name }, kinds))
  }
  return dispatch(rules)
}

interface Opened {
  name: string
  rule: unknown
  container: object
  inner: Context
}

function openFragment(node: unknown, context: Context, place: Place): Opened[] {
  if (!isMap(node)) {
    context.report({ message: `expected a map of rules, got ${JSON.stringify(node)}`, place })
    return []
  }
  const own = Object.entries(node).filter(([name]) => name !== '$use')
  const ownOpened = own.map(([name, rule]) => ({ name, rule, container: node as object, inner: context }))
  if (!('$use' in node)) return ownOpened
  const fragment = String(node.$use)
  const usePlace = { container: node, key: '$use' }
  if (!Object.hasOwn(context.define, fragment) || context.open.includes(`rules ${fragment}`)) {
    const known = Object.hasOwn(context.define, fragment)
    const hint = `\`define\` has ${Object.keys(context.define).join(', ') || 'none'}`
    context.report({
      message: known ? `the fragment "${fragment}" uses itself` : `expected the name of a fragment, got "${fragment}"`,
      hint: known ? undefined : hint,
      place: usePlace,
    })
    return ownOpened
  }
  const inner = { ...context, open: [...context.open, `rules ${fragment}`] }
  const used = openFragment(context.define[fragment], inner, { container: context.define, key: fragment })
  const names = new Set(own.map(([name]) => name))
  return [...used.filter((opened) => !names.has(opened.name)), ...ownOpened]
}

const ruleKeys = ['when', 'each', 'where', 'with', 'emit', 'events']

function compileRule(node: PlainMap, context: Context, place: Place, kinds: Set<string>): Guarded {
  const at = (key: string): Place => ({ container: node, key })
  for (const key of Object.keys(node)) {
    if (!ruleKeys.includes(key)) context.report({ message: `expected ${ruleKeys.join(', ')}, got ${key}`, place: at(key) })
  }
  if (!('emit' in node) && !('events' in node)) {
    context.report({ message: 'expected `emit` or `events`: a rule that says nothing', place })
  }
  const when = 'when' in node ? compileTest(node.when, context, at('when')) : undefined
  const each = 'each' in node ? compileSource(node.each, context, at('each')) : undefined
  const where = 'where' in node ? compileTest(node.where, context, at('where')) : undefined
  const handed = isMap(node.with) ? compileFields(node.with, context) : undefined
  const emits = compileEmits(node.emit, context, at('emit'), kinds)
  const nested = 'events' in node ? compileSet(node.events, context, at('events'), kinds) : undefined
  const item = compileItem(where, handed, emits, nested)
  const bare = each === undefined ? item : spreading(each, item)
  const needs = needsOf(node)
  if (when === undefined) return { rule: bare, bare, asks: asksOf({}), needs }
  return {
    rule: (value, roots, say, fields) => when(value) && bare(value, roots, say, fields),
    bare,
    asks: asksOf(node.when),
    needs,
  }
}

function spreading(each: Eval, item: Rule): Rule {
  return (value, roots, say, fields) => {
    const found = each(value, roots)
    if (found === undefined) return false
    if (!Array.isArray(found)) return item(found, roots, say, fields)
    let matched = false
    for (let index = 0; index < found.length; index++) if (item(found[index], roots, say, fields)) matched = true
    return matched
  }
}

function compileItem(where: Pattern | undefined, handed: Field[] | undefined, emits: Rule[], nested: Rule | undefined): Rule {
  const speak = inOrder(nested === undefined ? emits : [...emits, nested])
  if (where === undefined && handed === undefined) return speak
  return (value, roots, say, fields) => {
    if (where !== undefined && !where(value)) return false
    return speak(value, roots, say, handed === undefined ? fields : hand(handed, value, roots, fields))
  }
}

// ---- what is said ------------------------------------------------------------------------------------------------

interface Field {
  name: string
  eval: Eval
}

function compileFields(node: PlainMap, context: Context, skip?: string): Field[] {
  return Object.keys(node)
    .filter((name) => name !== skip)
    .map((name) => ({ name, eval: compileTemplate(node[name], context, { container: node, key: name }) }))
}

function hand(handed: Field[], value: unknown, roots: Roots, fields: Fields): Fields {
  let out: PlainMap | undefined
  for (const field of handed) {
    const given = field.eval(value, roots)
    if (given !== undefined && !(field.name === 'choice' && given === 0)) (out ??= { ...fields })[field.name] = given
  }
  return out ?? fields
}

function compileEmits(node: unknown, context: Context, place: Place, kinds: Set<string>): Rule[] {
  if (node === undefined) return []
  const list = Array.isArray(node) ? node : [node]
  return list.flatMap((emit, index) => {
    const where = Array.isArray(node) ? { container: node, key: index } : place
    const rule = compileEmit(emit, context, where)
    if (rule === undefined) return []
    kinds.add(String((emit as PlainMap).type)) // compileEmit gives a rule only for a map with a known type
    return [rule]
  })
}

function compileEmit(node: unknown, context: Context, place: Place): Rule | undefined {
  const type = isMap(node) ? node.type : undefined
  const known = typeof type === 'string' && Object.hasOwn(speechFields, type) ? speechFields[type] : undefined
  if (!isMap(node) || known === undefined) {
    context.report({
      message: `expected a map with one of these types: ${Object.keys(speechFields).join(', ')}; got ${JSON.stringify(type ?? node)}`,
      place,
    })
    return undefined
  }
  for (const key of Object.keys(node)) {
    if (key === 'type' || key === 'choice' || known.fields.includes(key)) continue
    context.report({
      message: `expected a field of "${String(type)}" (${known.fields.join(', ')}), got ${key}`,
      place: { container: node, key },
    })
  }
  return emission(type as Speech['type'], compileFields(node, context, 'type'), known.payload) // a key of speechFields
}

/**
 * Payload first, object after: most rules have nothing to say about most frames. The common emission has one field and no
 * handed ones; it gets a literal object, which V8 gives one shape.
 */
function emission(type: Speech['type'], fields: Field[], payload: readonly string[]): Rule {
  const [only] = fields
  if (fields.length === 1 && only?.name === 'delta' && type !== 'tool') return deltaOnly(type, only.eval)
  if (fields.every(({ name }) => name === 'delta' || name === 'index') && type !== 'tool' && payload.includes('delta'))
    return deltaAt(type, fields)
  const rule = general(type, fields, new Set(payload))
  if (type !== 'start') return rule
  return (value, roots, say, given) => roots.started === true || rule(value, roots, say, given)
}

function deltaOnly(type: Speech['type'], evaluate: Eval): Rule {
  return (value, roots, say, given) => {
    const delta = evaluate(value, roots)
    if (typeof delta !== 'string' || delta === '') return false
    const speech = { type, delta } as Speech // text, reasoning and refusal: the kinds with a delta alone
    say(given === none ? speech : Object.assign(speech, given))
    return true
  }
}

/** The same for wires that number their blocks. */
function deltaAt(type: Speech['type'], fields: Field[]): Rule {
  const [delta, index] = ['delta', 'index'].map((name) => fields.find((field) => field.name === name)?.eval)
  return (value, roots, say, given) => {
    const piece = delta?.(value, roots)
    if (typeof piece !== 'string' || piece === '') return false
    const place = index?.(value, roots)
    const speech = (place === undefined ? { type, delta: piece } : { type, index: place, delta: piece }) as Speech // text, reasoning and refusal: the kinds with a delta
    say(given === none ? speech : Object.assign(speech, given))
    return true
  }
}

function general(type: Speech['type'], fields: Field[], payload: ReadonlySet<string>): Rule {
  return (value, roots, say, given) => {
    let speech: PlainMap | undefined
    let told = payload.size === 0
    for (const field of fields) {
      const set = field.eval(value, roots)
      if (set === undefined || set === null) continue
      if (!told && payload.has(field.name) && !isBlank(set)) told = true
      ;(speech ??= { type })[field.name] = set
    }
    if (!told) return false
    const whole = speech ?? { type }
    say((given === none ? whole : Object.assign(whole, given)) as unknown as Speech) // its fields are those of its kind, checked when compiled
    return true
  }
}
