import { ModelwireError } from '../core/error.ts'
import type { Part } from '../core/request.ts'
import { isMap } from '../lang/value.ts'
import type { MediaType, Task } from './compile.ts'

/** How many a message may hold. */
const most = 256

/** The media of an input as parts of a message, each behind its number, so that the data can speak of `image 2`. */
export function mediaParts(task: Task, input: object): Part[] {
  return task.media.flatMap(({ type, field, values }) => {
    const found = [values(input, { request: input }) ?? []].flat()
    if (found.length > most)
      throw new ModelwireError('invalid_request', `expected at most ${most} in \`${field}\` of the input, got ${found.length}`)
    return found.flatMap((value, index): Part[] => [{ type: 'text', text: `${type} ${index + 1}:` }, partOf(type, value, field)])
  })
}

/** The bytes of an input that are media, and so have a place in a request. */
export function mediaBytes(task: Task, input: object): ReadonlySet<unknown> {
  const found = task.media.flatMap(({ values }) => [values(input, { request: input }) ?? []].flat())
  return new Set(found.map((value) => (isMap(value) ? value['data'] : value)))
}

/** A path, a `data:` URL or base64 text, an address, bytes, or `{ data, mediaType }` and `{ url }`. */
function partOf(type: MediaType, value: unknown, field: string): Part {
  if (typeof value === 'string') return /^https?:\/\//.test(value) ? { type, url: value } : { type, data: value }
  if (value instanceof Uint8Array) return { type, data: value }
  if (isMap(value)) {
    const { data, url, mediaType } = value
    const more = typeof mediaType === 'string' ? { mediaType } : {}
    if (typeof url === 'string') return { type, url, ...more }
    if (typeof data === 'string' || data instanceof Uint8Array) return { type, data, ...more }
  }
  throw new ModelwireError(
    'invalid_request',
    `expected ${type} in \`${field}\` of the input, got ${value === null ? 'null' : typeof value}`,
    {
      hint: 'pass a path, an address, base64 text, bytes, or a map with `data` and `mediaType`, or with `url`',
    },
  )
}
