import { ModelwireError } from '../core/error.ts'
import type { FinishReason, Usage } from '../core/result.ts'
import type { Completion, DecoderName, ReadPlan } from '../pipeline/read.ts'
import { compileRules, type Rules } from '../pipeline/rules.ts'
import { wordsOf } from '../pipeline/words.ts'
import type { SseOptions } from '../pipeline/decode/sse.ts'
import { compileInterpolation, type Expression } from '../lang/expr.ts'
import { glob } from '../lang/pattern.ts'
import { compileSource, compileTemplate, compileTest, type Context, type Place } from '../lang/template.ts'
import { asText, type Eval, isMap, type PlainMap, type Roots } from '../lang/value.ts'
import type { Auth, Slot } from '../wire/auth.ts'
import { type Classify, compileClassify } from './classify.ts'
import { overlay } from './extend.ts'
import { format, type Position, positionOf } from './position.ts'

/** A mistake found by compilation. */
export interface Fault {
  message: string
  hint?: string | undefined
  position: Position | undefined
}

/** A template of the address with the place it stands at. */
interface Target {
  method: 'POST' | 'GET'
  path: Eval
}

/** One operation, compiled: closures only. */
export interface Operation {
  name: string
  base: Eval
  target: Target
  query: Eval
  headers: Eval
  body: Eval | undefined
  plan: ReadPlan
  finish: (raw: unknown) => FinishReason
  usage: (raw: unknown) => Usage | undefined
  classify: Classify
  rateLimits: Eval | undefined
  auth: Auth
  variables: Variable[]
  /** Request fields that the templates read, dotted; `*` is all. */
  reads: ReadonlySet<string>
  /** Fields and part types that this wire deliberately doesn't send. */
  unused: ReadonlySet<string>
  /** Values of `type` (of parts) that the templates know. */
  types: ReadonlySet<string>
  /** The manifest it comes from. */
  where: string
}

/** What `$env.<name>` reads. */
export interface Variable {
  name: string
  variables: readonly string[]
  default: string | undefined
}

/** Lays the manifest's patches for a model over it, in their order. */
export function patched(manifest: PlainMap, model: string): PlainMap {
  return matchingPatches(manifest, model).reduce<PlainMap>((made, index) => {
    const { match: _, ...patch } = (manifest.models as PlainMap[])[index] ?? {} // matchingPatches gives indexes of this list
    return overlay(made, patch) as PlainMap // a map laid over a map
  }, manifest)
}

/** Which of the manifest's `models` entries a model's name fits. */
export function matchingPatches(manifest: PlainMap, model: string): number[] {
  const list = Array.isArray(manifest.models) ? manifest.models : []
  return list.flatMap((entry, index) => {
    const globs = isMap(entry) ? [entry.match].flat() : []
    return globs.some((pattern) => typeof pattern === 'string' && glob(pattern)(model)) ? [index] : []
  })
}

/** Compiles one operation of a manifest whose `extends` is resolved. Mistakes go to `report`; by default the first is thrown. */
export function compileOperation(manifest: PlainMap, name: string, report: (fault: Fault) => void = throwFault): Operation {
  const operations = isMap(manifest.operations) ? manifest.operations : {}
  const node = operations[name]
  if (!isMap(node)) throw new ModelwireError('unsupported', `"${String(manifest.id)}" has no operation "${name}"`)
  const context = createContext(manifest, report)
  const request: Context = { ...createContext(manifest, report), atRequest: true }
  const at = (key: string): Place => ({ container: node, key })

  const target = compileTarget(node, request)
  const query = compileParts(manifest, node, 'query', request)
  const headers = compileParts(manifest, node, 'headers', request)
  const body = 'body' in node ? compileTemplate(node.body, request, at('body')) : undefined
  const rules = compileRules(node.events, context, at('events'))
  const usage = compileUsage(node, context)
  return {
    name,
    base: compileBase(manifest, request),
    target,
    query,
    headers,
    body,
    plan: {
      decode: decodeOf(node.decode),
      select: node.select === undefined ? undefined : compileSource(node.select, context, at('select')),
      rules,
      split: isMap(node.split) && isMap(node.split.text) ? (node.split.text as unknown as ReadPlan['split']) : undefined, // shape checked by the schema
      complete: compileCompletion(node, context, rules),
      special: wordsOf(node.events, node.select, node.complete, manifest.define),
    },
    finish: compileFinish(node),
    usage,
    classify: compileClassify(manifest, context),
    rateLimits: isMap(manifest.limits)
      ? compileTemplate(manifest.limits, context, { container: manifest, key: 'limits' })
      : undefined,
    auth: readAuth(manifest.auth),
    variables: readVariables(manifest.variables),
    reads: request.reads,
    unused: new Set(Array.isArray(node.unused) ? node.unused.map(String) : []),
    types: request.types,
    where: format(positionOf(operations, name)),
  }
}

function throwFault(fault: Fault): never {
  throw new ModelwireError('manifest', fault.message, { where: format(fault.position), hint: fault.hint })
}

function createContext(manifest: PlainMap, report: (fault: Fault) => void): Context {
  // What is missing stands nowhere: the first entry of the map that should hold it is near.
  const position = ({ container, key }: Place): Position | undefined =>
    positionOf(container, key) ?? positionOf(container, Object.keys(container)[0] ?? '')
  return {
    define: isMap(manifest.define) ? manifest.define : {},
    variables: isMap(manifest.variables) ? Object.keys(manifest.variables) : [],
    report: ({ message, hint, place }) => report({ message, hint, position: position(place) }),
    where: (place) => format(position(place)),
    reads: new Set(),
    types: new Set(),
    atRequest: false,
    fragments: new Map(),
    open: [],
  }
}

// ---- the call ----------------------------------------------------------------------------------------------------

function compileTarget(node: PlainMap, context: Context): Target {
  const key = 'post' in node ? 'post' : 'get'
  const method = key === 'post' ? 'POST' : 'GET'
  const written = node[key]
  const place = { container: node, key }
  if ('post' in node && 'get' in node) context.report({ message: 'expected `post` or `get`, got both', place })
  if (typeof written !== 'string' && !isMap(written)) {
    context.report({ message: 'expected `post` or `get` with the path to call', place })
    return { method, path: () => '' }
  }
  return { method, path: compileAddress(written, context, place) }
}

/** A text, or a construct that chooses between texts; what is put into them is URL-encoded. */
function compileAddress(node: string | PlainMap, context: Context, place: Place): Eval {
  const text = (written: string): Expression =>
    compileInterpolation(written, (value) => encodeURIComponent(asText(value).toWellFormed()))
  return compileTemplate(node, { ...context, text, fragments: new Map() }, place)
}

function compileBase(manifest: PlainMap, context: Context): Eval {
  const { base } = manifest
  if (typeof base !== 'string') return () => undefined
  if (!/^(?:https?:\/\/|\{?\$)/.test(base)) {
    context.report({
      message: `expected an address that starts with https:// or http://, got ${JSON.stringify(base)}`,
      place: { container: manifest, key: 'base' },
    })
  }
  return compileAddress(base, context, { container: manifest, key: 'base' })
}

/** The provider's own and, over them, the operation's. */
function compileParts(manifest: PlainMap, node: PlainMap, key: 'query' | 'headers', context: Context): Eval {
  const parts = [manifest, node].flatMap((container) => {
    const part = container[key]
    return isMap(part) ? [compileTemplate(part, context, { container, key })] : []
  })
  return (at, roots) => Object.assign({}, ...parts.map((part) => part(at, roots)))
}

// ---- the reply ---------------------------------------------------------------------------------------------------

function decodeOf(node: unknown): { name: DecoderName; options: SseOptions } {
  if (typeof node === 'string') return { name: node as DecoderName, options: {} } // the schema allows only the four
  const [name, options] = isMap(node) ? (Object.entries(node)[0] ?? []) : []
  return { name: (name ?? 'json') as DecoderName, options: isMap(options) ? (options as SseOptions) : {} }
}

function compileCompletion(node: PlainMap, context: Context, rules: Rules): Completion {
  const list = Array.isArray(node.complete) ? node.complete : ['end']
  if (list.length === 1 && list[0] === 'finish' && !rules.kinds.has('finish')) {
    context.report({
      message: 'expected a rule that emits `finish`: it is the only proof of completion here',
      place: { container: node, key: 'complete' },
    })
  }
  return {
    done: list.includes('done'),
    finish: list.includes('finish'),
    end: list.includes('end'),
    when: list.filter(isMap).map((proof) => compileTest(proof.when, context, { container: proof, key: 'when' })),
  }
}

function compileFinish(node: PlainMap): (raw: unknown) => FinishReason {
  const table = isMap(node.finish) ? node.finish : {}
  const otherwise = typeof table.$else === 'string' ? (table.$else as FinishReason) : 'other'
  return (raw) => {
    const reason = String(raw)
    return Object.hasOwn(table, reason) && !reason.startsWith('$') ? (table[reason] as FinishReason) : otherwise
  }
}

function compileUsage(node: PlainMap, context: Context): (raw: unknown) => Usage | undefined {
  if (!isMap(node.usage)) return (raw) => ({ raw })
  const table = compileTemplate(node.usage, context, { container: node, key: 'usage' })
  const roots: Roots = {}
  return (raw) => {
    const counts = table(raw, roots)
    if (!isMap(counts)) return { raw }
    const usage: Usage = {}
    for (const [name, value] of Object.entries(counts)) if (typeof value === 'number') Object.assign(usage, { [name]: value })
    if (usage.totalTokens === undefined && usage.inputTokens !== undefined && usage.outputTokens !== undefined) {
      usage.totalTokens = usage.inputTokens + usage.outputTokens
    }
    usage.raw = raw
    return usage
  }
}

// ---- credentials -------------------------------------------------------------------------------------------------

function names(node: unknown): string[] {
  return [node].flat().filter((name) => typeof name === 'string')
}

export function readAuth(node: unknown): Auth {
  if (!isMap(node)) return { scheme: 'none' }
  const optional = node.optional === true
  const slots = (map: unknown): Slot[] =>
    isMap(map) ? Object.entries(map).map(([name, value]) => ({ name, variables: names(value) })) : []
  if ('bearer' in node) return { scheme: 'bearer', secrets: [{ name: 'bearer', variables: names(node.bearer) }], optional }
  if ('header' in node)
    return { scheme: 'header', secrets: slots(node.header), prefix: typeof node.prefix === 'string' ? node.prefix : '', optional }
  if ('query' in node) return { scheme: 'query', secrets: slots(node.query), optional }
  if ('basic' in node) return { scheme: 'basic', secrets: slots(node.basic), optional }
  return { scheme: 'none' }
}

function readVariables(node: unknown): Variable[] {
  if (!isMap(node)) return []
  return Object.entries(node).map(([name, value]) => {
    if (!isMap(value)) return { name, variables: names(value), default: undefined }
    return {
      name,
      variables: names(value.env),
      default: value.default === undefined || value.default === null ? undefined : asText(value.default),
    }
  })
}
