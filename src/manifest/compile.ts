import { parseDuration } from '../core/duration.ts'
import type { Prices } from '../core/cost.ts'
import { ModelwireError } from '../core/error.ts'
import { normalFields } from '../core/normalize.ts'
import { compileInterpolation, type Expression } from '../lang/expr.ts'
import { glob } from '../lang/pattern.ts'
import { compileSource, type Context, type Place } from '../lang/context.ts'
import { compile, compileTemplate } from '../lang/template.ts'
import { asText, type Eval, isMap, type PlainMap } from '../lang/value.ts'
import type { Write } from '../lang/written.ts'
import type { Auth, Slot } from '../wire/auth.ts'
import type { Timeouts } from '../core/request.ts'
import { encoders } from '../wire/encode.ts'
import { overlay } from './extend.ts'
import { readPrices, readTimeouts } from './numbers.ts'
import { compileReading, type Reading } from './reading.ts'
import { didYouMean } from './suggest.ts'
import { format, type Position, positionOf } from './position.ts'

/** A mistake found by compilation. */
export interface Fault {
  message: string
  hint?: string | undefined
  position: Position | undefined
}

/** A template of the address with the place it stands at. */
interface Target {
  method: 'POST' | 'GET' | 'DELETE' | 'RUN'
  path: Eval
  /** Behind `base` without its path. */
  root: boolean
}

/** The transports that a manifest can name. */
export type TransportName = 'http' | 'llama' | 'onnx'

/** One operation, compiled: closures only. */
export interface Operation {
  name: string
  base: Eval
  target: Target
  query: Eval
  headers: Eval
  body: Eval | undefined
  /** What the transport gets: JSON for HTTP, the body itself for one in this process. */
  encode: (body: unknown) => string | object
  /** The JSON straight from the template, where the transport gets that. */
  write: Write | undefined
  /** What carries the call. */
  transport: TransportName
  /** How the job that its reply names is asked for. */
  follow: Follow | undefined
  /** How its reply is read; compiled when first asked for. */
  readonly reading: Reading
  auth: Auth
  /** Clocks that this provider needs otherwise than by default, milliseconds; 0 for none. */
  timeouts: Timeouts
  /** What a model costs. */
  prices: (model: string) => Prices
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
  const request: Context = { ...createContext(manifest, report), atRequest: true, complain: (field) => complaint(field, name) }
  const at = (key: string): Place => ({ container: node, key })

  const transport = transportOf(manifest, node)
  const target = compileTarget(node, transport, request)
  const query = compileParts(manifest, node, 'query', request)
  const headers = compileParts(manifest, node, 'headers', request)
  const body = 'body' in node ? compile(node.body, request, at('body')) : undefined
  const encoder = transport === 'http' ? ((node.encode ?? 'json') as keyof typeof encoders) : undefined // the schema allows no other
  let reading: Reading | undefined
  const readingOf = (): Reading => (reading ??= compileReading(manifest, node, createContext(manifest, report)))
  if (report !== throwFault) readingOf() // who gathers mistakes wants all of them
  return {
    name,
    base: compileBase(manifest, request),
    target,
    query,
    headers,
    body: body?.eval,
    encode: encoder === undefined ? asItIs : encoders[encoder],
    write: encoder === 'json' ? body?.write : undefined,
    transport,
    follow: compileFollow(node, context),
    get reading() {
      return readingOf()
    },
    auth: readAuth(manifest.auth),
    timeouts: readTimeouts(manifest.timeouts),
    prices: readPrices(manifest.prices),
    variables: readVariables(manifest.variables, context),
    reads: request.reads,
    unused: new Set(Array.isArray(node.unused) ? node.unused.map(String) : []),
    types: request.types,
    where: format(positionOf(operations, name)),
  }
}

/** A field that no request of this operation has is a slip of the pen: it would always be nothing. */
function complaint(field: string, operation: string): string | undefined {
  const known = normalFields[operation]
  if (known === undefined || known.includes(field)) return undefined
  return `expected a field of the request, got "${field}"${didYouMean(field, known)}`
}

/** Stops at the first mistake. */
export function throwFault(fault: Fault): never {
  throw new ModelwireError('manifest', fault.message, { where: format(fault.position), hint: fault.hint })
}

export function createContext(manifest: PlainMap, report: (fault: Fault) => void): Context {
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

/** Of this operation, or of all; the schema allows no other names. */
export function transportOf(manifest: PlainMap, node?: PlainMap): TransportName {
  const named = node?.transport ?? manifest.transport
  return typeof named === 'string' ? (named as TransportName) : 'http'
}

function asItIs(body: unknown): object {
  return isMap(body) ? body : { body }
}

/** What a transport in this process is asked to do. */
function compileRun(node: PlainMap, context: Context): Target {
  const name = node.run
  const wrong = Object.keys(methods).find((key) => key in node)
  if (wrong !== undefined)
    context.report({
      message: `expected \`run\`: this transport has no addresses, got \`${wrong}\``,
      place: { container: node, key: wrong },
    })
  if (typeof name !== 'string')
    context.report({ message: 'expected `run` with what the transport is to do', place: { container: node, key: 'run' } })
  return { method: 'RUN', path: () => name, root: false }
}

const methods = { post: 'POST', get: 'GET', delete: 'DELETE' } as const

function compileTarget(node: PlainMap, transport: TransportName, context: Context): Target {
  if (transport !== 'http') return compileRun(node, context)
  const [key = 'get', ...others] = (['post', 'get', 'delete'] as const).filter((name) => name in node)
  const method = methods[key]
  const written = node[key]
  const place = { container: node, key }
  if (others.length > 0) context.report({ message: `expected one method, got \`${[key, ...others].join('` and `')}\``, place })
  if (typeof written !== 'string' && !isMap(written)) {
    context.report({ message: 'expected `post`, `get` or `delete` with the path to call', place })
    return { method, path: () => '', root: false }
  }
  return { method, path: compileAddress(written, context, place), root: node.from === 'root' }
}

/** Asks for a job; `$` is the first answer to it. */
export interface Follow {
  get: Eval
  /** Milliseconds. */
  every: number
  headers: Eval | undefined
}

/** `until` is read where the frames are: it is the proof that the job is done. */
function compileFollow(node: PlainMap, context: Context): Follow | undefined {
  const { follow } = node
  if (!isMap(follow)) return undefined
  const at = (key: string): Place => ({ container: follow, key })
  const { get, headers } = follow
  const written = typeof get === 'string' ? get : ''
  return {
    get: written.startsWith('$') ? compileSource(written, context, at('get')) : compileAddress(written, context, at('get')),
    every: typeof follow.every === 'string' ? (parseDuration(follow.every) ?? 1_000) : 1_000,
    headers: isMap(headers) ? compileTemplate(headers, context, at('headers')) : undefined,
  }
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

/** Names of variables that sound like secrets. */
export const secretive = /KEY|SECRET|TOKEN|PASSW|CREDENTIAL/i

/** A variable may stand anywhere in a call; what looks like a secret may only stand where `auth` puts it. */
function readVariables(node: unknown, context: Context): Variable[] {
  if (!isMap(node)) return []
  return Object.entries(node).map(([name, value]) => {
    const variables = names(isMap(value) ? value.env : value)
    const secret = variables.find((variable) => secretive.test(variable))
    if (secret !== undefined) {
      const hint = 'name it in `auth`, which puts it where it belongs and nowhere else'
      context.report({
        message: `expected a setting, got ${secret}, which sounds like a secret`,
        hint,
        place: { container: node, key: name },
      })
    }
    const fallback = isMap(value) ? value.default : undefined
    return { name, variables, default: fallback === undefined || fallback === null ? undefined : asText(fallback) }
  })
}
