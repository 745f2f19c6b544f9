import { ModelwireError } from '../core/error.ts'

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const forbidden = /[^\t\x20-\x7e\x80-\xff]/ // RFC 9110, 5.5: visible ASCII, obs-text, space and tab

/**
 * Throws unless every header can be written as it is. Ours comes first because a library's own complaint quotes the
 * value, and the value may be a key; so does this one name the header and nothing else.
 */
export function checkHeaders(headers: Record<string, string>): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    // A name that is no token may be a value put into the wrong place: it isn't quoted either.
    if (!token.test(name)) throw invalid('A header has a name with characters that are not allowed in it.')
    if (typeof value !== 'string') throw invalid(`The header "${name}" has a value that is not text.`)
    if (forbidden.test(value)) throw invalid(`The header "${name}" has a value with characters that are not allowed in it.`)
  }
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

/** undici's headers as ours: one text a name. */
export function replyHeaders(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of Object.keys(raw)) {
    const value = raw[name]
    if (value === undefined || name === '__proto__') continue
    headers[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return headers
}
