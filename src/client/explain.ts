import type { Warning } from '../core/result.ts'
import { format, positionOf } from '../manifest/position.ts'
import type { Operation } from '../manifest/compile.ts'
import { isMap } from '../lang/value.ts'
import { variableName } from './options.ts'
import type { Prepared } from './prepare.ts'

/** One field of the body, and the line that made it. */
export interface ExplainedField {
  /** Dotted: `messages[0].content`. */
  field: string
  value: unknown
  /** `file:line:column`; `extra` for what the caller added. */
  where: string
}

/** A call as it would be sent. Secrets stand as the variable that holds them, never as themselves. */
export interface Explanation {
  method: string
  url: string
  headers: Record<string, string>
  body?: unknown
  fields: ExplainedField[]
  warnings: Warning[]
  /** The call as a command for a shell. */
  curl: string
}

export function explainCall(
  prepared: Prepared,
  operation: Operation,
  provider: string,
  origins: WeakMap<object, object>,
  extra?: Record<string, unknown>,
): Explanation {
  const shown = withPlaceholders(prepared, operation, provider)
  const body = prepared.body === undefined ? {} : { body: JSON.parse(JSON.stringify(prepared.body)) as unknown }
  return {
    method: prepared.call.method,
    ...shown,
    ...body,
    fields: isMap(prepared.body) ? fieldsOf(prepared.body, '', operation.where, { origins, extra }) : [],
    warnings: prepared.warnings,
    curl: operation.transport === 'http' ? curlOf(prepared, shown) : '# this runs in this process: nothing is sent',
  }
}

/** Where a secret goes, the name of its variable stands. */
function withPlaceholders(
  { call }: Prepared,
  { auth }: Operation,
  provider: string,
): { url: string; headers: Record<string, string> } {
  if (auth.scheme === 'none') return { url: call.url, headers: call.headers }
  const variable = (index: number): string => `$${auth.secrets[index]?.variables[0] ?? `${variableName(provider)}_API_KEY`}`
  if (auth.scheme === 'query') {
    const query = auth.secrets.map(({ name }, index) => `${encodeURIComponent(name)}=${variable(index)}`).join('&')
    return { url: `${call.url}${call.url.includes('?') ? '&' : '?'}${query}`, headers: call.headers }
  }
  const headers = { ...call.headers }
  if (auth.scheme === 'bearer') headers.authorization = `Bearer ${variable(0)}`
  if (auth.scheme === 'basic') headers.authorization = `Basic ${variable(0)}:${variable(1)} (base64)`
  if (auth.scheme === 'header')
    auth.secrets.forEach(({ name }, index) => (headers[name.toLowerCase()] = auth.prefix + variable(index)))
  return { url: call.url, headers }
}

interface Makers {
  origins: WeakMap<object, object>
  /** What the caller laid over this part of the body. */
  extra: unknown
}

/** One line a leaf that a template made; what the caller gave whole (a schema, arguments) stays whole. */
function fieldsOf(value: unknown, path: string, inherited: string, { origins, extra }: Makers): ExplainedField[] {
  if (Array.isArray(value) && value.some((item) => isMap(item) && origins.has(item))) {
    return value.flatMap((item, index) => fieldsOf(item, `${path}[${index}]`, inherited, { origins, extra: undefined }))
  }
  const template = isMap(value) ? origins.get(value) : undefined
  if (!isMap(value) || (template === undefined && path !== '')) return [{ field: path, value, where: inherited }]
  return Object.entries(value).flatMap(([key, item]) => {
    const position = template === undefined ? undefined : positionOf(template, key)
    const added = isMap(extra) && Object.hasOwn(extra, key)
    const merged = added && isMap(item) && origins.has(item)
    const known = template !== undefined && key in template && (!added || merged)
    const where = !known ? 'extra' : position === undefined ? inherited : format(position)
    return fieldsOf(item, path === '' ? key : `${path}.${key}`, where, { origins, extra: added ? extra[key] : undefined })
  })
}

function curlOf({ call }: Prepared, shown: { url: string; headers: Record<string, string> }): string {
  const lines = [`curl -X ${call.method} ${quote(shown.url)}`]
  for (const [name, value] of Object.entries(shown.headers)) lines.push(`  -H ${quote(`${name}: ${value}`)}`)
  if (typeof call.body === 'string') lines.push(`  -d ${single(call.body)}`)
  return lines.join(' \\\n')
}

/** In double quotes, so that the shell fills a `$VARIABLE` in. */
function quote(text: string): string {
  return `"${text.replace(/["\\`]/g, '\\$&')}"`
}

function single(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
