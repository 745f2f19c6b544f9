import { ModelwireError } from '../core/error.ts'

/**
 * Joins base and path and proves that nothing put in changed where the call goes: the host is still the one that was
 * written, and no part of the path climbed out of its place (`x#`, `x@evil`, `x/../`, `%2e%2e`).
 */
export function address(base: string, path: string, query: Record<string, string>): string {
  if (Object.keys(query).length > 0) return withQuery(prove(join(base, path)), query)
  const known = proven.get(base)?.get(path)
  if (known !== undefined) return known
  const { href } = prove(join(base, path))
  if (proven.size >= 64) proven.clear() // variables and model names may come from outside
  const paths = proven.get(base) ?? new Map<string, string>()
  if (paths.size >= 256) paths.clear()
  proven.set(base, paths.set(path, href))
  return href
}

/** Addresses that were proven, by base and path: to parse one, or only to join it, costs more than all else that is done with it. */
const proven = new Map<string, Map<string, string>>()

function join(base: string, path: string): string {
  return base.replace(/\/+$/, '') + path
}

function withQuery(url: URL, query: Record<string, string>): string {
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value)
  return url.href
}

function prove(joined: string): URL {
  let url: URL
  try {
    url = new URL(joined)
  } catch {
    throw wrong(`the address ${JSON.stringify(joined.slice(0, 200))} isn't a URL`)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw wrong(`the address must start with https:// or http://, got ${url.protocol}`)
  const written = /^[a-z]+:\/\/([^/?#]*)([^?#]*)/i.exec(joined)
  const host = (written?.[1] ?? '').toLowerCase().replace(url.protocol === 'https:' ? /:443$/ : /:80$/, '')
  if (url.username !== '' || url.password !== '' || url.host !== host)
    throw wrong(`the address's host isn't the one that was written`)
  if (url.hash !== '' || url.pathname !== (written?.[2] === '' ? '/' : written?.[2]))
    throw wrong(`a variable or model name changes the address's path`)
  return url
}

function wrong(message: string): ModelwireError {
  return new ModelwireError('configuration', message, { hint: 'check the base address, its variables and the name of the model' })
}
