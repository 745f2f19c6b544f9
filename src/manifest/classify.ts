import { type ErrorKind, ModelwireError } from '../core/error.ts'
import { compileTest, type Context } from '../lang/context.ts'
import { compileTemplate } from '../lang/template.ts'
import type { Pattern } from '../lang/pattern.ts'
import { asText, type Eval, isMap, type PlainMap, type Roots } from '../lang/value.ts'
import { shouldRetry } from '../resilience/delay.ts'
import { retryableStatus } from '../resilience/retry.ts'
import { requestIdOf } from '../wire/call.ts'

/** Makes an error of what a provider said: an HTTP error, an error in a 200, an error in mid-stream alike. */
export type Classify = (said: { status: number; headers: Record<string, string>; body: unknown }) => ModelwireError

interface Row {
  when: Pattern
  kind: ErrorKind
  after: Eval | undefined
  hint: string | undefined
}

/** How providers spell an error when their manifest doesn't say. */
const usual = {
  message: '$.error.message ?? $.message ?? $.error ?? $.detail ?? $.errors[0].message',
  type: '$.error.type ?? $.type',
  code: '$.error.code ?? $.code ?? $.error.status',
}

/** What plain HTTP says; a manifest needs no line for it. */
function kindOfStatus(status: number): ErrorKind {
  if (status >= 300 && status < 400) return 'protocol'
  switch (status) {
    case 401:
      return 'authentication'
    case 402:
      return 'quota_exhausted'
    case 403:
      return 'permission_denied'
    case 404:
    case 410:
      return 'not_found'
    case 408:
    case 504:
      return 'timeout'
    case 409:
      return 'conflict'
    case 413:
      return 'request_too_large'
    case 425:
    case 503:
      return 'overloaded'
    case 429:
      return 'rate_limited'
    case 501:
      return 'unsupported'
    case 529:
      return 'overloaded'
    default:
      return status >= 400 && status < 500 ? 'invalid_request' : 'server_error'
  }
}

export function compileClassify(manifest: PlainMap, context: Context): Classify {
  const spelled = isMap(manifest.error) ? manifest.error : {}
  const fields: PlainMap = { ...usual, ...spelled }
  const owner = (name: string): object => (name in spelled ? spelled : manifest)
  const read = Object.keys(fields).map((name) => ({
    name,
    eval: compileTemplate(fields[name], context, { container: owner(name), key: name }),
  }))
  const rows = compileRows(manifest, context)
  return (said) => {
    const roots: Roots = { status: said.status, headers: said.headers }
    const body = Array.isArray(said.body) && isMap(said.body[0]) ? said.body[0] : said.body // an error of a stream that would have been a list is one
    const facts: PlainMap = { status: said.status, headers: said.headers, body }
    for (const field of read) facts[field.name] = field.eval(body, roots)
    const row = rows.find(({ when }) => when(facts))
    return errorOf(facts, row, said, row?.after?.(body, roots))
  }
}

function compileRows(manifest: PlainMap, context: Context): Row[] {
  const list = Array.isArray(manifest.errors) ? manifest.errors : []
  return list.filter(isMap).map((row) => ({
    when: compileTest(row.when, context, { container: row, key: 'when' }),
    kind: row.kind as ErrorKind, // the schema allows no other
    after: row.after === undefined ? undefined : compileTemplate(row.after, context, { container: row, key: 'after' }),
    hint: typeof row.hint === 'string' ? row.hint : undefined,
  }))
}

function errorOf(
  facts: PlainMap,
  row: Row | undefined,
  said: { status: number; headers: Record<string, string>; body: unknown },
  after: unknown,
): ModelwireError {
  const status = statusOf(said.status, facts.code)
  const kind = row?.kind ?? kindOfStatus(status)
  const message = messageOf(facts, status, said.body)
  const retryable = retryability(kind, status, said.headers, `${message} ${asText(facts.code ?? '')}`)
  return new ModelwireError(kind, message, {
    ...(status >= 300 ? { status } : {}),
    ...(retryable === undefined ? {} : { retryable }),
    requestId: requestIdOf(said.headers),
    hint: row?.hint ?? hintOf(kind),
    retryAfterMs: typeof after === 'number' ? after : undefined,
  })
}

/** An error in a 200 or in mid-stream may carry its status in its code. */
function statusOf(status: number, code: unknown): number {
  if (status >= 300) return status
  const number = Number(code)
  return Number.isInteger(number) && number >= 400 && number < 600 ? number : status
}

/** `x-should-retry` overrides; of the conflicts only a lock that timed out is worth another try, of the server's errors those that pass. */
function retryability(kind: ErrorKind, status: number, headers: Record<string, string>, words: string): boolean | undefined {
  const wish = shouldRetry(headers)
  if (wish !== undefined) return wish
  if (kind === 'conflict') return /lock/i.test(words)
  if (kind === 'server_error' && status >= 500) return retryableStatus(status)
  return undefined
}

function messageOf(facts: PlainMap, status: number, body: unknown): string {
  const { message } = facts
  if (typeof message === 'string' && message.trim() !== '') return message
  if (message !== undefined && typeof message !== 'string') return JSON.stringify(message)
  if (status >= 300 && status < 400)
    return `unexpected_redirect: the provider answered with HTTP ${status}; redirects aren't followed`
  const text = typeof body === 'string' ? plain(body) : ''
  return text === '' ? `the provider answered with HTTP ${status}` : text
}

/** The words of a body that isn't JSON: a proxy's page, a line of text. */
function plain(text: string): string {
  return text
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300)
}

function hintOf(kind: ErrorKind): string | undefined {
  switch (kind) {
    case 'authentication':
      return 'check the API key'
    case 'permission_denied':
      return 'this key may not do this; check its rights and the region'
    case 'not_found':
      return 'check the name of the model and the base address'
    case 'rate_limited':
      return 'slow down, or raise the limit at the provider'
    case 'quota_exhausted':
      return 'check the plan and billing at the provider'
    case 'context_length':
      return 'shorten the conversation or choose a model with a longer context'
    case 'protocol':
      return 'check the base address'
    default:
      return undefined
  }
}
