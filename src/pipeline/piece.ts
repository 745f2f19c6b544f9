/** Bytes that must stand at a place. They are compared eight at a time, as doubles: half of what comparing slices of a text costs. */
export interface Piece {
  length: number
  /** Of a piece of less than eight. */
  bytes: Uint8Array
  /** The last one ends where the piece does, over bytes of the one before it. */
  doubles: Float64Array
}

/**
 * `text` has a character a byte, none of them NUL: the one double that equals another one of other bytes is zero. A double
 * that isn't a number equals none, which can't happen with UTF-8 and would only mean that a piece is never found.
 */
export function pieceOf(text: string): Piece {
  const bytes = new Uint8Array(Buffer.from(text, 'latin1')) // its own memory, from 0 on
  const { length } = bytes
  const view = new DataView(bytes.buffer)
  const count = length < 8 ? 0 : Math.ceil(length / 8)
  const doubles = Float64Array.from({ length: count }, (_, index) => view.getFloat64(Math.min(index * 8, length - 8), true))
  return { length, bytes: count === 0 ? bytes : bytes.subarray(0, 0), doubles }
}

/** Whether it stands at `at` in bytes of which there are `size`. */
export function stands({ length, bytes, doubles }: Piece, view: DataView, size: number, at: number): boolean {
  if (at + length > size) return false
  const last = doubles.length - 1
  for (let index = 0; index < last; index++) {
    if (view.getFloat64(at + index * 8, true) !== doubles[index]) return false
  }
  if (last >= 0) return view.getFloat64(at + length - 8, true) === doubles[last]
  for (let index = 0; index < length; index++) {
    if (view.getUint8(at + index) !== bytes[index]) return false
  }
  return true
}
