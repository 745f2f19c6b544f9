import { ModelwireError } from '../core/error.ts'

/** A body as JSON. JSON.stringify writes lone surrogates as escapes, so the bytes are always well-formed UTF-8. */
function encodeJson(body: unknown): string {
  return writing(() => JSON.stringify(body))
}

/** Runs what writes JSON. What can't be written is the request's mistake. */
export function writing<Made>(write: () => Made): Made {
  try {
    return write()
  } catch (error) {
    if (error instanceof ModelwireError) throw error
    const reason =
      error instanceof TypeError && /circular/i.test(error.message)
        ? 'it refers to itself'
        : 'it holds a value that JSON has no form for (a BigInt?)'
    throw new ModelwireError('invalid_request', `the request can't be written as JSON: ${reason}`, { hint: 'pass plain data only' })
  }
}

/** How a body can be written, by the name that manifests call it. */
export const encoders = { json: encodeJson }

/** Lays `extra` over a body: maps merge, everything else replaces. `origins` learns that a merged map is still its template's. */
export function mergeExtra(body: unknown, extra: Record<string, unknown>, origins?: WeakMap<object, object>): unknown {
  if (!isMap(body)) return extra
  const out: Record<string, unknown> = { ...body }
  const template = origins?.get(body)
  if (template !== undefined) origins?.set(out, template)
  for (const [key, value] of Object.entries(extra)) {
    if (key === '__proto__') throw new ModelwireError('invalid_request', '`extra` holds the key "__proto__"')
    out[key] = isMap(value) && isMap(out[key]) ? mergeExtra(out[key], value, origins) : value
  }
  return out
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}
