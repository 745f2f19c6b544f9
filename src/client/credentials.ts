import { ModelwireError } from '../core/error.ts'
import type { Operation } from '../manifest/compile.ts'
import { type Auth, cleanSecret, type Secrets, type Slot } from '../wire/auth.ts'
import { type ProviderOptions, variableName } from './options.ts'

type Environment = Record<string, string | undefined>

/**
 * The secrets of a call, read right before each attempt: explicit, then the manifest's variables, then `<ID>_API_KEY`.
 * Throws `configuration` when one is missing that the provider needs.
 */
export function readSecrets(operation: Operation, provider: string, own: ProviderOptions, env: Environment): Secrets {
  const { auth } = operation
  if (auth.scheme === 'none') return {}
  const secrets: Record<string, string> = {}
  const explicit = typeof own.apiKey === 'function' ? own.apiKey() : own.apiKey
  for (const slot of auth.secrets) {
    const found = auth.scheme === 'basic' ? basic(slot, explicit, env) : (explicit ?? fromEnvironment(slot, provider, env))
    const secret = found === undefined ? '' : cleanSecret(found, `the API key of "${provider}"`)
    if (secret !== '') secrets[slot.name] = secret
    else if (!auth.optional) throw missing(provider, slot, explicit)
  }
  return secrets
}

/** The variables that may hold a provider's key, and whether it is there. Never the key itself. */
export function keyState(
  auth: Auth,
  provider: string,
  own: ProviderOptions,
  env: Environment,
): { keys: string[]; key: 'set' | 'missing' | 'optional' | 'none' } {
  if (auth.scheme === 'none') return { keys: [], key: 'none' }
  const fallback = auth.scheme === 'basic' ? [] : [`${variableName(provider)}_API_KEY`]
  const variables = auth.secrets.map((slot) => [...slot.variables, ...fallback])
  const set = own.apiKey !== undefined || variables.every((names) => firstSet(names, env) !== undefined)
  return { keys: [...new Set(variables.flat())], key: set ? 'set' : auth.optional ? 'optional' : 'missing' }
}

/** `user:password` when given explicitly. */
function basic(slot: Slot, explicit: string | undefined, env: Environment): string | undefined {
  if (explicit === undefined) return firstSet(slot.variables, env)
  const at = explicit.indexOf(':')
  return slot.name === 'user' ? explicit.slice(0, Math.max(0, at)) : explicit.slice(at + 1)
}

function fromEnvironment(slot: Slot, provider: string, env: Environment): string | undefined {
  return firstSet([...slot.variables, `${variableName(provider)}_API_KEY`], env)
}

function firstSet(names: readonly string[], env: Environment): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value.trim() !== '')
}

function missing(provider: string, slot: Slot, explicit: string | undefined): ModelwireError {
  const variable = slot.variables[0] ?? `${variableName(provider)}_API_KEY`
  return new ModelwireError('configuration', `the API key for "${provider}" is ${explicit === undefined ? 'missing' : 'empty'}`, {
    provider,
    hint: `set ${variable} in the environment, or pass providers: { ${JSON.stringify(provider)}: { apiKey } }`,
  })
}

/** The manifest's variables: explicit, then the environment, then the default. An unset one stays absent; where an address needs it, that says so. */
export function readVariables(operation: Operation, own: ProviderOptions, env: Environment): Record<string, string> {
  const values: Record<string, string> = {}
  for (const variable of operation.variables) {
    const explicit = own[variable.name]
    const value =
      explicit === undefined || explicit === null ? (firstSet(variable.variables, env) ?? variable.default) : String(explicit)
    if (value !== undefined) values[variable.name] = value.trim()
  }
  return values
}
