import { ModelwireError } from '../core/error.ts'
import type { ErrorDetails } from '../core/error.ts'

/** What a failure means before the reply began; `host` is the only part of the address that may be said aloud. */
export function sendError(error: unknown, host: string): ModelwireError {
  const { code, message } = read(error)
  const cause = plain(code, message)
  const say = (kind: 'network' | 'configuration' | 'protocol' | 'truncated' | 'cancelled', text: string, details: ErrorDetails) =>
    new ModelwireError(kind, text, { cause, ...details })

  const proxy = /Proxy response \((\d+)\)|Proxy Authentication Required \((\d+)\)/.exec(message)
  if (proxy) {
    return say('network', `The proxy refused the way to ${host} with status ${proxy[1] ?? proxy[2]}.`, {
      retryable: false,
      hint: 'Check the proxy address, its user and password, and NO_PROXY.',
    })
  }
  if (code === 'ECONNREFUSED')
    return say('network', `${host} refused the connection.`, { hint: 'Is the server running, and is this its port?' })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_FAIL') {
    return say('network', `The name ${host} cannot be resolved.`, {
      hint: 'Check the address for a typing mistake, and the name server.',
    })
  }
  if (unreachable.has(code)) return say('network', `${host} cannot be reached.`, { hint: 'Check the network, VPN and firewall.' })
  if (code === 'connect-timeout' || code === 'ETIMEDOUT') return connectTimeout(host, cause)
  if (certificate.test(code)) {
    return say('network', `The certificate of ${host} is not trusted (${code}).`, {
      retryable: false,
      hint: 'Give the certificate authority as `ca`, or with NODE_EXTRA_CA_CERTS; look whether a proxy replaces certificates.',
    })
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return say('network', `${host} and this client agree on no TLS (${code}).`, {
      retryable: false,
      hint: 'Does this port speak TLS at all? If not, the address begins with http://.',
    })
  }
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return say('configuration', 'The request has a header or a path that HTTP does not allow.', {
      hint: 'Connection, Transfer-Encoding, Upgrade and Expect belong to the transport; Content-Length must fit the body.',
    })
  }
  if (code === 'destroyed') return say('cancelled', 'The runtime was closed during the call.', {})
  if (code === 'head-too-large') return say('protocol', `The reply headers of ${host} are too large.`, {})
  if (code === 'not-http') {
    return say('protocol', `${host} sent bytes that are not HTTP/1.1.`, {
      hint: 'Is this the right port, and does the address begin with the right http:// or https://?',
    })
  }
  return say('network', `${host} closed the connection before it answered.`, { hint: 'It may be overloaded or restarting.' })
}

/** What a failure means once the reply began: whatever ended the body early, what came is not the whole. */
export function bodyError(error: unknown, host: string): ModelwireError {
  const { code, message } = read(error)
  const cause = plain(code, message)
  if (code === 'destroyed') return sendError(error, host)
  if (code === 'not-http') return new ModelwireError('protocol', `${host} sent a body that is not HTTP/1.1.`, { cause })
  return new ModelwireError('truncated', `${host} closed the connection before the reply was complete.`, { cause })
}

export function connectTimeout(host: string, cause?: unknown): ModelwireError {
  return new ModelwireError('timeout', `No connection to ${host} in time.`, {
    phase: 'connect',
    cause,
    hint: 'Check the network, or raise `timeouts.connect`.',
  })
}

const raceMs = 1_000

/** Whether the server may simply have closed a connection that had been idle, as we began to write to it at `startedAt`. */
export function lostRace(error: Error, startedAt: number): boolean {
  const { code } = read(error)
  const closed = code === 'closed' || code === 'ECONNRESET' || code === 'EPIPE'
  return closed && performance.now() - startedAt < raceMs
}

const unreachable = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'])
const certificate = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|UND_ERR_PRX_TLS)/

/** What can be wrong with a connection besides what Node has codes for. */
type Trouble = 'closed' | 'not-http' | 'head-too-large' | 'connect-timeout' | 'destroyed'

export class ConnectionError extends Error {
  readonly code: Trouble

  constructor(code: Trouble) {
    super(code)
    this.code = code
  }
}

/** The same in undici's words, which speak when a proxy is in the way. */
const undicis: Record<string, Trouble> = {
  UND_ERR_SOCKET: 'closed',
  UND_ERR_CONNECT_TIMEOUT: 'connect-timeout',
  UND_ERR_HEADERS_TIMEOUT: 'connect-timeout', // only CONNECT is sent with a clock of undici's own
  UND_ERR_DESTROYED: 'destroyed',
  UND_ERR_CLOSED: 'destroyed',
  UND_ERR_HEADERS_OVERFLOW: 'head-too-large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'not-http',
}

function read(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: '' }
  const { message } = error
  // undici's parser errors come without their code; what they say is llhttp's reason, a fixed text.
  if (error.name === 'HTTPParserError') return { code: /EOF/.test(message) ? 'closed' : 'not-http', message }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return { code: (Object.hasOwn(undicis, code) ? undicis[code] : undefined) ?? code, message }
}

/**
 * The failure without its fields: a parser's error carries the bytes that it stumbled over, a socket's its addresses, and
 * a server may echo a key. Messages with a code are written by Node and undici and quote neither headers nor addresses' queries.
 */
function plain(code: string, message: string): Error {
  return Object.assign(new Error(code === '' ? 'unknown failure' : message || code), { code })
}
