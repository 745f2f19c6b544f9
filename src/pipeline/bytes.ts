/** Bytes that have come, in the three forms that reading them wants. */
export interface Window {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** As Latin-1: a character each. */
  readonly text: string
}

export function windowOf(bytes: Uint8Array): Window {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), text: latin1(bytes) }
}

/** Bytes as a text of as many characters: comparing and cutting it is the fastest that V8 has for bytes. */
function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1')
}

/** The text that stands in these bytes as UTF-8. */
export function utf8Between(bytes: Uint8Array, start: number, end: number): string {
  return asBuffer(bytes).toString('utf8', start, end)
}

/** The text that bytes given as Latin-1 are in UTF-8. */
export function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

/** All of the bytes as one text, without the byte order mark that may stand before it. */
export function utf8Of(pieces: readonly Uint8Array[]): string {
  const [only] = pieces
  const bytes = only !== undefined && pieces.length === 1 ? asBuffer(only) : Buffer.concat(pieces)
  const text = bytes.toString('utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

/** The first character, right where it is of ASCII, which is all that is asked; nothing where there is only space and a byte order mark. */
export function firstOf(chunk: Uint8Array): string | undefined {
  const code = chunk.find((byte) => byte > 0x20 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
  return code === undefined ? undefined : String.fromCharCode(code)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
