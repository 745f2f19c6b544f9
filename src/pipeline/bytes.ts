/** Short texts of one chunk that are made from its bytes, before all of it is made a text that they are cut from. */
const few = 8
const sliced = 13 // V8 copies a shorter slice; a longer one would keep all that it is cut from alive

/** Bytes that have come, in the forms that reading them wants. */
export class Window {
  readonly bytes: Uint8Array
  readonly view: DataView
  #text: string | undefined
  #made = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Bytes that are ASCII, as a text of its own. */
  ascii(start: number, end: number): string {
    const { bytes } = this
    const length = end - start
    if (length >= sliced) return latin1Between(bytes, start, end)
    let hash = length
    for (let index = start; index < end; index++) hash = Math.imul(hash ^ (bytes[index] as number), 0x9e3779b1) // within bounds
    const place = hash >>> 20
    const known = lately[place] as string
    if (reads(known, bytes, start, length)) return known
    return (lately[place] = ++this.#made > few ? this.#cut(start, end) : latin1Between(bytes, start, end))
  }

  #cut(start: number, end: number): string {
    this.#text ??= latin1Between(this.bytes, 0, this.bytes.length)
    return this.#text.slice(start, end)
  }
}

/** Short texts that were read lately, each in the place that its bytes fall to: what models write comes again, and a text that is there needn't be made. */
const lately: string[] = Array.from({ length: 1 << 12 }, () => '')

function reads(word: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (word.length !== length) return false
  for (let index = 0; index < length; index++) if (word.charCodeAt(index) !== bytes[start + index]) return false
  return true
}

/** As Latin-1: a character a byte. Looking through that and cutting it is the fastest that V8 has for bytes. */
export function latin1Between(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('latin1', start, end)
}

/** The text that stands in these bytes as UTF-8. */
export function utf8Between(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('utf8', start, end)
}

/** The text that bytes given as Latin-1 are in UTF-8. */
export function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

/** The same bytes, to keep: those that a reply gives may be lent. */
export function kept(bytes: Uint8Array): Uint8Array {
  return Buffer.copyBytesFrom(bytes)
}

/** All of the bytes as one text, without the byte order mark that may stand before it. */
export function utf8Of(pieces: readonly Uint8Array[]): string {
  const [only] = pieces
  const bytes = only !== undefined && pieces.length === 1 ? asBuffer(only) : Buffer.concat(pieces)
  const text = bytes.toString('utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
