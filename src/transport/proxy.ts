import { ModelwireError } from '../core/error.ts'

/** The proxy variables, by the names that everything else on a machine reads too. */
export type Environment = Record<string, string | undefined>

/**
 * Which proxy leads to this address, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; the lower-case name wins,
 * as with curl. `NO_PROXY` holds hosts (their subdomains too), `.suffixes`, addresses, each with or without `:port`, or `*`.
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const variable = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined
  const proxy = variable(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy') ?? variable('all_proxy')
  if (proxy === undefined || spared(url, variable('no_proxy') ?? '')) return undefined
  return proxy
}

/** The proxy as an address; what is written without a scheme is meant as http, as with curl. */
export function proxyUrl(text: string): URL {
  const address = text.includes('://') ? text : `http://${text}`
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url && /^(https?|socks5?):$/.test(url.protocol) && url.hostname !== '') return url
  throw new ModelwireError('configuration', 'The proxy address is not one.', {
    // The text itself isn't quoted: it may hold a password.
    hint: 'Write it as http://host:port (or https, socks5), in the option `proxy` or in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY.',
  })
}

function spared(url: URL, list: string): boolean {
  const host = bare(url.hostname)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some((entry) => {
    if (entry === '') return false
    if (entry === '*') return true
    const [, name = entry, only] = /^(.*[^:]):(\d+)$/.exec(entry) ?? []
    if (only !== undefined && only !== port) return false
    const wanted = bare(name.replace(/^\*?\./, ''))
    return host === wanted || host.endsWith(`.${wanted}`)
  })
}

function bare(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}
