/** Bytes that must stand at a place. They are compared eight at a time, as doubles: half of what comparing slices of a text costs. */
export interface Piece {
  length: number
  bytes: Uint8Array
  doubles: Float64Array
}

/**
 * `text` has a character a byte, none of them NUL: the one double that equals another one of other bytes is zero. A double
 * that isn't a number equals none, which can't happen with UTF-8 and would only mean that a piece is never found.
 */
export function pieceOf(text: string): Piece {
  const bytes = new Uint8Array(Buffer.from(text, 'latin1')) // its own memory, from 0 on
  const view = new DataView(bytes.buffer)
  const doubles = Float64Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => view.getFloat64(index * 8, true))
  return { length: bytes.length, bytes, doubles }
}

export function stands({ length, bytes, doubles }: Piece, view: DataView, at: number): boolean {
  if (at + length > view.byteLength) return false
  for (let index = 0; index < doubles.length; index++) {
    if (view.getFloat64(at + index * 8, true) !== doubles[index]) return false
  }
  for (let index = doubles.length * 8; index < length; index++) {
    if (view.getUint8(at + index) !== bytes[index]) return false
  }
  return true
}
