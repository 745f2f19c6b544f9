import { ModelwireError } from '../core/error.ts'
import { type Normal, requestFields } from '../core/normalize.ts'
import type { CallOptions } from '../core/request.ts'
import type { Warning } from '../core/result.ts'
import { jsonBytes } from '../lang/json.ts'
import { isBlank, isMap, type Roots } from '../lang/value.ts'
import type { Follow, Operation } from '../manifest/compile.ts'
import { nearest } from '../manifest/suggest.ts'
import { address } from '../wire/address.ts'
import { authHeaders } from '../wire/auth.ts'
import type { Call, Connection } from '../wire/call.ts'
import { mergeExtra, writing } from '../wire/encode.ts'
import { readVariables } from './credentials.ts'
import type { Settings } from './options.ts'

/** A call without its secrets: what is sent, and what of the request found no place in it. */
export interface Prepared {
  call: Call
  /** The body before it was written as JSON; only for `explain` and with `extra`, else it is never made. */
  body?: unknown
  warnings: Warning[]
  /** Asks for the job that the first answer names, where this is one. */
  follow?: (first: unknown) => Call
}

export interface Preparation {
  operation: Operation
  provider: string
  normal: Normal
  input: CallOptions
  settings: Settings
  env: Record<string, string | undefined>
  strict: boolean
  /** Filled for `explain`: which template made each map of the body. */
  origins: WeakMap<object, object> | undefined
}

const userAgent = 'modelwire'

export function prepareCall(preparation: Preparation): Prepared {
  const { operation, normal, input, settings, env } = preparation
  const warnings = [...normal.warnings]
  unknownFields(input, operation.name, warnings)
  unusedFields(preparation, warnings)
  const roots = requestRoots(preparation, readVariables(operation, settings.own, env), warnings)
  const { body, sent } = buildBody(preparation, roots)
  const call: Call = {
    method: operation.target.method,
    url: buildAddress(preparation, roots),
    headers: buildHeaders(preparation, roots, sent !== undefined),
    maxBytes: normal.request.stream ? Infinity : settings.limits.reply,
    connection: connectionFor(preparation),
  }
  if (sent !== undefined) call.body = sent
  if (preparation.strict && warnings[0] !== undefined) throw strictly(warnings[0], warnings.length)
  const { follow } = operation
  const prepared: Prepared = { call, warnings }
  if (body !== undefined) prepared.body = body
  if (follow !== undefined) prepared.follow = (first) => followCall(preparation, follow, call, first, roots)
  return prepared
}

interface Body {
  /** What is sent, and what it was before it was written, where somebody asks for that. */
  sent?: Call['body'] | undefined
  body?: unknown
}

/** JSON is written straight from the templates, unless its parts are asked for. */
function buildBody({ operation, normal, input, origins }: Preparation, roots: Roots): Body {
  const { body: build, encode, write } = operation
  const { request } = normal
  if (input.extra === undefined && origins === undefined && write !== undefined) {
    const bytes = (): Buffer | undefined => jsonBytes((out) => write(request, roots, out))
    return { sent: made(() => writing(bytes)) }
  }
  const built = made(() => build?.(request, roots))
  const body = input.extra === undefined ? built : mergeExtra(built, input.extra, origins)
  return body === undefined ? {} : { body, sent: encode(body) }
}

/** A filter that fails on the request's own data is the request's mistake. */
function made<Made>(make: () => Made): Made {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ModelwireError) || error.kind !== 'protocol') throw error
    throw new ModelwireError('invalid_request', error.message, { hint: 'pass plain data only' })
  }
}

function requestRoots({ normal, origins }: Preparation, env: Record<string, string>, warnings: Warning[]): Roots {
  const now = Date.now()
  const roots: Roots = {
    request: normal.request,
    env,
    start: now,
    now,
    miss: (expression, value, where) => {
      const field = expression.replace(/^\$\.?/, '')
      warnings.push({ field, reason: `this wire has no form for ${JSON.stringify(value)}`, where })
    },
  }
  if (origins !== undefined) roots.origins = origins
  return roots
}

/** The provider's own, or one like it where the call has another time to connect. */
function connectionFor({ operation, input, settings: { connection, timeouts } }: Preparation): Connection {
  const connectTimeout = input.timeouts?.connect ?? timeouts.connect ?? operation.timeouts.connect
  if (connectTimeout === undefined || connectTimeout === connection.connectTimeout) return connection
  return { ...connection, connectTimeout }
}

// ---- address and headers -----------------------------------------------------------------------------------------

function buildAddress({ operation, provider, normal, settings }: Preparation, roots: Roots): string {
  if (operation.transport !== 'http') return String(operation.target.path(normal.request, roots))
  const base = baseOf({ operation, provider, normal, settings }, roots)
  const path = operation.target.path(normal.request, roots)
  if (typeof path !== 'string') throw noAddress(operation, provider, roots)
  const query = operation.query(normal.request, roots)
  return address(base, path, textMap(query))
}

function baseOf(
  { operation, provider, normal, settings }: Pick<Preparation, 'operation' | 'provider' | 'normal' | 'settings'>,
  roots: Roots,
): string {
  const base = operation.target.root
    ? rootOf(operation, normal.request, settings.baseUrl, roots)
    : (settings.baseUrl ?? operation.base(normal.request, roots))
  if (typeof base !== 'string' || base === '') throw noAddress(operation, provider, roots)
  return base
}

/** A reply may name a path, or an address of the host that it came from: a key goes nowhere else. */
function followCall(preparation: Preparation, follow: Follow, call: Call, first: unknown, roots: Roots): Call {
  const named = follow.get(first, roots)
  if (typeof named !== 'string' || named === '') throw new ModelwireError('protocol', 'the reply names no job to ask for')
  const whole = /^https?:/i.test(named)
  if (whole && (!URL.canParse(named) || new URL(named).origin !== new URL(call.url).origin))
    throw new ModelwireError('protocol', 'the reply names a job at another host', {
      hint: 'let `follow` make a path of what the reply says',
    })
  if (!whole && !named.startsWith('/')) throw new ModelwireError('protocol', 'the reply names a job by something that is no path')
  const { 'content-type': _, ...headers } = call.headers
  return {
    method: 'GET',
    url: whole ? named : address(baseOf(preparation, roots), named, {}),
    headers: { ...headers, accept: 'application/json', ...textMap(follow.headers?.(first, roots)) },
    ...(call.connection === undefined ? {} : { connection: call.connection }),
  }
}

/** The address without the path that the manifest's own has: `https://host/v1` → `https://host`. */
function rootOf(operation: Operation, request: unknown, baseUrl: string | undefined, roots: Roots): unknown {
  const own = operation.base(request, roots)
  const base = baseUrl ?? own
  if (typeof own !== 'string' || typeof base !== 'string') return base
  const path = own.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/+$/, '')
  const bare = base.replace(/\/+$/, '')
  return path !== '' && bare.endsWith(path) ? bare.slice(0, -path.length) : bare
}

function noAddress(operation: Operation, provider: string, roots: Roots): ModelwireError {
  const unset = operation.variables.find((variable) => roots.env?.[variable.name] === undefined)
  if (unset === undefined) {
    return new ModelwireError('configuration', `"${provider}" has no address`, {
      provider,
      hint: `give its manifest a \`base\`, or pass providers: { ${JSON.stringify(provider)}: { baseUrl } }`,
    })
  }
  const variable = unset.variables[0]
  return new ModelwireError('configuration', `the address of "${provider}" needs the variable "${unset.name}"`, {
    provider,
    hint: `${variable === undefined ? '' : `set ${variable} in the environment, or `}pass providers: { ${JSON.stringify(provider)}: { ${unset.name} } }`,
  })
}

function buildHeaders({ operation, normal, input, settings }: Preparation, roots: Roots, hasBody: boolean): Record<string, string> {
  if (operation.transport !== 'http') return {}
  const accept = normal.request.stream ? 'text/event-stream, application/x-ndjson, application/json' : 'application/json'
  const headers: Record<string, string> = { 'user-agent': userAgent, accept }
  if (hasBody) headers['content-type'] = 'application/json'
  addHeaders(headers, operation.headers(normal.request, roots))
  addHeaders(headers, settings.own.headers)
  if (input.headers === undefined) return headers
  const owned = authHeaders(operation.auth)
  const wrong = Object.keys(textMap(input.headers)).find((name) => [...owned, 'host'].includes(name.toLowerCase()))
  if (wrong !== undefined) {
    throw new ModelwireError(
      'invalid_request',
      `the header "${wrong.toLowerCase()}" belongs to the provider's auth and can't be set by a request`,
      { hint: 'set it for the provider: createRuntime({ providers: { …: { apiKey, headers } } })' },
    )
  }
  addHeaders(headers, input.headers)
  return headers
}

function addHeaders(headers: Record<string, string>, given: unknown): void {
  if (given === undefined) return
  const texts = textMap(given)
  for (const name of Object.keys(texts)) headers[name.toLowerCase()] = texts[name] as string // its own key
}

function textMap(value: unknown): Record<string, string> {
  const texts: Record<string, string> = {}
  if (!isMap(value)) return texts
  for (const name of Object.keys(value)) {
    const item = value[name]
    if (item !== undefined && item !== null && name !== '__proto__')
      texts[name] = typeof item === 'object' ? JSON.stringify(item) : String(item)
  }
  return texts
}

// ---- nothing is lost silently ------------------------------------------------------------------------------------

function unknownFields(input: CallOptions, operation: string, warnings: Warning[]): void {
  const known = requestFields[operation]
  if (known === undefined) return
  for (const field of Object.keys(input)) {
    if (known.has(field)) continue
    const near = nearest(field, [...known])
    const meant = near === undefined ? '' : `; did you mean "${near}"?`
    warnings.push({ field, reason: `a request has no such field${meant} (what only the provider knows goes into \`extra\`)` })
  }
}

/** Fields and kinds of parts that the templates never read. */
function unusedFields({ operation, normal, provider }: Preparation, warnings: Warning[]): void {
  const { reads, unused, types, where } = operation
  if (reads.has('*')) return
  const lost = (field: string, what = `\`${field}\``): void => {
    if (!unused.has(field)) warnings.push({ field, reason: `the manifest "${provider}" has no use for ${what}`, where })
  }
  for (const field of Object.keys(normal.request)) {
    if (field === 'model' || field === 'stream' || reads.has(field) || unused.has(field)) continue
    const value = normal.request[field]
    if (isBlank(value)) continue
    const below = isMap(value) ? Object.keys(value).filter((key) => !isBlank(value[key])) : []
    if (below.length === 0 || !readsBelow(reads, field)) lost(field)
    else for (const key of below) if (!reads.has(`${field}.${key}`)) lost(`${field}.${key}`)
  }
  for (const type of normal.partTypes) if (!types.has(type)) lost(`messages.${type}`, `parts of type "${type}"`)
}

function readsBelow(reads: ReadonlySet<string>, field: string): boolean {
  return [...reads].some((read) => read.startsWith(`${field}.`))
}

function strictly(first: Warning, count: number): ModelwireError {
  const others = count > 1 ? ` (and ${count - 1} more)` : ''
  return new ModelwireError('invalid_request', `${first.field}: ${first.reason}${others}`, {
    where: first.where,
    hint: 'leave it out, or call without `strict`',
  })
}
