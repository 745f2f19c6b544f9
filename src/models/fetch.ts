import { ModelwireError, type ErrorKind } from '../core/error.ts'
import type { Reply, Transport } from '../wire/call.ts'

const mostRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])

/**
 * Asks for a file. Redirects are followed, other than those of calls: nothing secret goes along that another host could
 * pick up, hosts of files send nearly every download elsewhere, and the checksum says whether the right bytes came.
 */
export async function fetchFile(
  http: Transport,
  address: string,
  headers: Record<string, string>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Reply> {
  let url = checkAddress(address)
  const local = isLoopback(url)
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const reply = await http(
      { method: 'GET', url: url.href, headers: { 'user-agent': 'modelwire', 'accept-encoding': 'identity', ...headers }, maxBytes },
      signal,
    )
    if (!redirects.has(reply.status)) return reply
    reply.release()
    const { location } = reply.headers
    if (location === undefined || !URL.canParse(location, url.href))
      throw new ModelwireError('protocol', `${url.host} redirects the download, and doesn't say where to`)
    const next = checkAddress(new URL(location, url).href, `${url.host} redirects the download there: `)
    // A stranger must not make this process ask somebody on this machine.
    if (isLoopback(next) && !local) throw refused(`${url.host} redirects the download to an address of this machine`)
    url = next
  }
  throw new ModelwireError('protocol', `the download is redirected more than ${mostRedirects} times`, {
    hint: 'check download.url of the manifest',
  })
}

/** Only encrypted addresses, and those of this machine. The query isn't quoted: it may be signed. */
export function checkAddress(address: string, before = ''): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined) throw refused(`${before}expected the address of a file, got ${JSON.stringify(address.slice(0, 200))}`)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))
    throw refused(`${before}expected an https:// address, got ${url.protocol}//${url.host}`)
  if (url.username !== '' || url.password !== '') throw refused(`${before}expected an address without a user and password`)
  return url
}

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function refused(message: string): ModelwireError {
  return new ModelwireError('configuration', message, { hint: 'check download.url of the manifest' })
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  401: 'permission_denied',
  403: 'permission_denied',
  404: 'not_found',
  410: 'not_found',
  429: 'rate_limited',
  503: 'overloaded',
}

/** What a reply that brings no file means. */
export function replyError(status: number, address: string): ModelwireError {
  const { host, pathname } = new URL(address)
  const kind = kinds[status] ?? (status >= 500 ? 'server_error' : 'protocol')
  return new ModelwireError(kind, `${host} answered ${status} for ${pathname}`, {
    status,
    hint: kind === 'not_found' || kind === 'permission_denied' ? 'check download.url of the manifest' : 'run it again later',
  })
}
