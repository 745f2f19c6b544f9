import { ModelwireError } from '../core/error.ts'
import type { Call } from './call.ts'

/** How a provider wants to be shown its credentials, and which variables of the environment hold them. */
export type Auth =
  | { scheme: 'none' }
  | { scheme: 'bearer'; secrets: Slot[]; optional: boolean }
  | { scheme: 'header'; secrets: Slot[]; prefix: string; optional: boolean }
  | { scheme: 'query'; secrets: Slot[]; optional: boolean }
  | { scheme: 'basic'; secrets: Slot[]; optional: boolean }

/** One secret: where it goes (a header's name, a parameter's, `user`, `password`), and the variables that may hold it. */
export interface Slot {
  name: string
  variables: readonly string[]
}

/** Secrets by the slot's name. Made right before a call is sent, and never kept. */
export type Secrets = Readonly<Record<string, string>>

/** The header names that auth owns; a caller can't set them. */
export function authHeaders(auth: Auth): string[] {
  if (auth.scheme === 'header') return auth.secrets.map((slot) => slot.name.toLowerCase())
  return auth.scheme === 'none' || auth.scheme === 'query' ? [] : ['authorization']
}

/** Gives the call its credentials. The only place that writes a secret anywhere. */
export function authorize(call: Call, auth: Auth, secrets: Secrets): Call {
  if (auth.scheme === 'none') return call
  const missing = auth.secrets.some((slot) => secrets[slot.name] === undefined)
  if (missing) return call
  switch (auth.scheme) {
    case 'bearer':
      return withHeader(call, 'authorization', `Bearer ${secrets.bearer ?? ''}`)
    case 'header':
      return auth.secrets.reduce(
        (made, { name }) => withHeader(made, name.toLowerCase(), auth.prefix + (secrets[name] ?? '')),
        call,
      )
    case 'query':
      return auth.secrets.reduce((made, { name }) => withQuery(made, name, secrets[name] ?? ''), call)
    case 'basic':
      return withHeader(
        call,
        'authorization',
        `Basic ${Buffer.from(`${secrets.user ?? ''}:${secrets.password ?? ''}`).toString('base64')}`,
      )
    default:
      return auth satisfies never
  }
}

function withHeader(call: Call, name: string, value: string): Call {
  return { ...call, headers: { ...call.headers, [name]: value } }
}

function withQuery(call: Call, name: string, value: string): Call {
  const url = new URL(call.url)
  url.searchParams.set(name, value)
  return { ...call, url: url.href }
}

/** A key as it was pasted or read from a file: space around it is no part of it. Throws when it can't stand in a header. */
export function cleanSecret(value: string, what: string): string {
  const trimmed = value.trim()
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[^\x20-\x7e]/.test(trimmed)) {
    throw new ModelwireError('configuration', `${what} holds a character that can't stand in a header`, {
      hint: 'paste the key again: it should be one line of plain letters, digits and signs',
    })
  }
  return trimmed
}
