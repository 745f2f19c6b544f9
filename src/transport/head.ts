import { forbidden, token } from './headers.ts'

/** What stands before the body of a reply. */
export interface Head {
  status: number
  /** Whether it is HTTP/1.1, not 1.0. */
  current: boolean
  /** By names in lower case; a name that came twice has both values, with a comma. */
  headers: Record<string, string>
}

const statusLine = /^HTTP\/1\.[01] [1-9]\d\d(?: |$)/

/** Reads a head without the blank line behind it (RFC 9112, 4 and 5); undefined when it is none. */
export function parseHead(text: string): Head | undefined {
  let end = lineEnd(text, 0)
  const line = text.slice(0, end)
  if (!statusLine.test(line) || forbidden.test(line)) return undefined
  const headers: Record<string, string> = {}
  while (end < text.length) {
    const start = end + 2
    end = lineEnd(text, start)
    const colon = text.indexOf(':', start)
    if (colon < 0 || colon > end) return undefined
    const name = text.slice(start, colon).toLowerCase()
    const value = trimmed(text, colon + 1, end)
    if (!token.test(name) || forbidden.test(value)) return undefined
    if (name === '__proto__') continue
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value
  }
  return { status: Number(line.slice(9, 12)), current: line.charCodeAt(7) === 0x31, headers }
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\r\n', from)
  return at < 0 ? text.length : at
}

/** Without spaces and tabs around it, and only those. */
function trimmed(text: string, from: number, to: number): string {
  while (from < to && blank(text.charCodeAt(from))) from++
  while (to > from && blank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

function blank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
