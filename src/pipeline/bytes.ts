/** Bytes as a text of as many characters: comparing and cutting it is the fastest that V8 has for bytes. */
export function latin1(bytes: Uint8Array): string {
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

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
