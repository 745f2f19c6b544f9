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
  // Only CONNECT is sent with a clock of undici's own for the headers.
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'ETIMEDOUT')
    return connectTimeout(host, cause)
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
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
    return say('cancelled', 'The runtime was closed during the call.', {})
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return say('protocol', `The reply headers of ${host} are too large.`, {})
  if (code === notHttp || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
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
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return sendError(error, host)
  if (code === notHttp) return new ModelwireError('protocol', `${host} sent a body that is not HTTP/1.1.`, { cause })
  return new ModelwireError('truncated', `${host} closed the connection before the reply was complete.`, { cause })
}

export function connectTimeout(host: string, cause?: unknown): ModelwireError {
  return new ModelwireError('timeout', `No connection to ${host} in time.`, {
    phase: 'connect',
    cause,
    hint: 'Check the network, or raise `timeouts.connect`.',
  })
}

/** Whether the peer may simply have closed a connection that had been idle. */
export function closedByPeer(error: unknown): boolean {
  const { code } = read(error)
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
}

const unreachable = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'EADDRNOTAVAIL', 'EACCES', 'EPERM'])
const certificate = /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_CA|UND_ERR_PRX_TLS)/

const notHttp = 'HPE'

function read(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: '' }
  const { message } = error
  // undici's parser errors come without their code; what they say is llhttp's reason, a fixed text.
  if (error.name === 'HTTPParserError') return { code: /EOF/.test(message) ? 'UND_ERR_SOCKET' : notHttp, message }
  return { code: 'code' in error && typeof error.code === 'string' ? error.code : '', message }
}

/**
 * The failure without its fields: a parser's error carries the bytes that it stumbled over, a socket's its addresses, and
 * a server may echo a key. Messages with a code are written by Node and undici and quote neither headers nor addresses' queries.
 */
function plain(code: string, message: string): Error {
  return Object.assign(new Error(code === '' ? 'unknown failure' : message || code), { code })
}
