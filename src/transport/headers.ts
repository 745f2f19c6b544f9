import { ModelwireError } from '../core/error.ts'
import type { Outgoing } from './pool.ts'

export const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
export const forbidden = /[^\t\x20-\x7e\x80-\xff]/ // RFC 9110, 5.5: visible ASCII, obs-text, space and tab
const ours = /^(?:connection|keep-alive|transfer-encoding|content-length|upgrade|expect)$/i
/** Names that were found to be right, as they are written: there are few. */
const right = new Set<string>()

/**
 * Throws unless every header can be written as it is. The error names the header and nothing else: the value may be a key.
 */
export function checkHeaders(headers: Record<string, string>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (!right.has(name)) checkName(name)
    if (typeof value !== 'string') throw invalid(`The header "${name}" has a value that is not text.`)
    if (forbidden.test(value)) throw invalid(`The header "${name}" has a value with characters that are not allowed in it.`)
  }
}

function checkName(name: string): void {
  // A name that is no token may be a value put into the wrong place: it isn't quoted either.
  if (!token.test(name)) throw invalid('A header has a name with characters that are not allowed in it.')
  if (ours.test(name)) {
    throw new ModelwireError('configuration', `The header "${name.toLowerCase()}" belongs to the transport.`, {
      hint: 'Take Connection, Keep-Alive, Content-Length, Transfer-Encoding, Upgrade and Expect out of the headers.',
    })
  }
  if (right.size >= 256) right.clear() // names may come from outside
  right.add(name)
}

function invalid(message: string): ModelwireError {
  return new ModelwireError('configuration', message, {
    hint: 'Look for line ends, NUL and characters beyond Latin-1 in the key, the environment variable or the option it comes from.',
  })
}

/** Whether the body's end proves itself: a body that only the connection's close ends may have been cut anywhere. */
export function framed(headers: Record<string, string>): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/**
 * What to accept where the call doesn't say. A compressor in the way may hold events back until its window is full, so
 * streams are asked for as they are; a vector or an image in JSON is worth squeezing.
 */
export function acceptEncoding(headers: Record<string, string>): string | undefined {
  if (headers['accept-encoding'] !== undefined) return undefined
  return /stream|ndjson|jsonl/.test(headers['accept'] ?? '') ? undefined : 'gzip, deflate, br'
}

/** What goes out before the body (RFC 9112, 3). The headers have been checked. */
export function requestHead({ target, method, headers, body }: Outgoing): string {
  let head = `${method} ${target.path} HTTP/1.1\r\n`
  if (headers['host'] === undefined) head += `host: ${target.host}\r\n`
  for (const name of Object.keys(headers)) head += `${name}: ${headers[name]}\r\n`
  if (body !== null) head += `content-length: ${Buffer.byteLength(body)}\r\n`
  else if (method !== 'GET' && method !== 'HEAD' && method !== 'DELETE') head += 'content-length: 0\r\n'
  return `${head}\r\n`
}
