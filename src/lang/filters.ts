import { parseDuration } from '../core/duration.ts'
import { asText, isMap } from './value.ts'

/** Turns a value into another; never called on nothing. A throw becomes a `protocol` error that names the path. */
export type Filter = (value: unknown, args: readonly unknown[]) => unknown

/** The closed table of filters. Each takes one value and literals, and knows nothing else. */
export const filters: Record<string, Filter> = {
  /** JSON text; a text stays as it is (arguments that weren't JSON go back unchanged). */
  json: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  /** The value that a JSON text holds; anything else stays as it is. */
  parse: (value) => (typeof value === 'string' ? JSON.parse(value) : value),
  /** Bytes as base64; a text is taken for base64 already. */
  base64: (value) => (ArrayBuffer.isView(value) ? bytes(value).toString('base64') : asText(value)),
  /** The text that base64 holds. */
  unbase64: (value) => Buffer.from(asText(value), 'base64').toString('utf8'),
  /** A list's items as one text, with a separator between them. */
  join: (value, [separator = '']) => {
    if (!Array.isArray(value)) return asText(value)
    if (value.length === 1 && typeof value[0] === 'string') return value[0]
    return value
      .filter((item) => item != null)
      .map(asText)
      .join(asText(separator))
  },
  /** The number that a text writes; one that isn't gives nothing. */
  number: (value) => (Number.isFinite(Number(value)) ? Number(value) : undefined),
  /** As text: JSON for lists and maps. */
  string: asText,
  /** Text in small letters. */
  lower: (value) => asText(value).toLowerCase(),
  /** Text in capitals. */
  upper: (value) => asText(value).toUpperCase(),
  /** Text without space around it. */
  trim: (value) => asText(value).trim(),
  /** Text without a prefix. */
  strip: (value, [prefix]) => (asText(value).startsWith(asText(prefix)) ? asText(value).slice(asText(prefix).length) : value),
  /** The last part of a text that a separator divides (`image/png` → `png`). */
  after: (value, [separator]) => asText(value).split(asText(separator)).at(-1),
  /** The first part of it. */
  before: (value, [separator]) => asText(value).split(asText(separator))[0],
  /** A list; another value becomes a list of itself. */
  list: (value) => (Array.isArray(value) ? value : [value]),
  /** A list's first item; another value is its own. */
  first: (value) => (Array.isArray(value) ? value[0] : value),
  /** A list's last item; another value is its own. */
  last: (value) => (Array.isArray(value) ? value.at(-1) : value),
  /** How many items a list has, or characters a text. */
  length: (value) => (Array.isArray(value) || typeof value === 'string' ? value.length : undefined),
  /** A map as a list of `{ key, value }`. */
  entries: (value) => (isMap(value) ? Object.entries(value).map(([key, item]) => ({ key, value: item })) : undefined),
  /** 32-bit floats in base64 (little endian) as numbers; a list stays as it is. */
  floats: (value) => (typeof value === 'string' ? floats(value) : value),
  /** A part with `data` and `mediaType` as a `data:` URL; one with a `url` gives that. */
  dataurl: (value) => (isMap(value) ? dataUrl(value) : undefined),
  /** A fresh random UUID, whatever the value. */
  uuid: () => crypto.randomUUID(),
  /** Milliseconds until a moment or the end of a span: `6m0s`, `12ms`, `1.5` (seconds), RFC 3339, epoch. */
  until: (value) => parseDuration(asText(value)),
}

function bytes(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

function floats(base64: string): number[] {
  const raw = Buffer.from(base64, 'base64')
  return Array.from({ length: raw.length >> 2 }, (_, index) => raw.readFloatLE(index * 4))
}

function dataUrl(part: Record<string, unknown>): string {
  if (typeof part.url === 'string' && part.url !== '') return part.url
  const data = ArrayBuffer.isView(part.data) ? bytes(part.data).toString('base64') : asText(part.data)
  return `data:${asText(part.mediaType ?? 'application/octet-stream')};base64,${data}`
}
