import type { ModelwireError } from '../core/error.ts'
import type { Operation } from '../manifest/compile.ts'

/** Makes an error of an HTTP reply that isn't a success, by the manifest's rules. */
export function readError(
  operation: Operation,
  reply: { status: number; headers: Record<string, string> },
  body: Uint8Array,
): ModelwireError {
  return operation.reading.classify({ ...reply, body: parseBody(new TextDecoder().decode(body)) })
}

/** JSON, JSON inside an event stream (seen with an error status), or the text itself. */
function parseBody(text: string): unknown {
  const trimmed = text.trim()
  const data = /^(?:event:.*\r?\n)?data:(.*)$/m.exec(trimmed)?.[1]
  for (const candidate of [trimmed, data]) {
    if (candidate === undefined) continue
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      // Not JSON: a page, a line of text. The next candidate, then the text itself.
    }
  }
  return trimmed
}
