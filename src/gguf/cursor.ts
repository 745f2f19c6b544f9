import { ModelwireError } from '../core/error.ts'

/** Thrown where the bytes at hand end before the header does: more of the file has to be read. */
export class NeedsMore extends Error {}

export type Scalar = string | number | bigint | boolean

/** Reads the little-endian values of a GGUF one after the other, and never past what is there. */
export interface Cursor {
  u32(): number
  /** A 64-bit count or size; one that no real file can have is refused. */
  size(): number
  text(): string
  /** The value of a type; nothing for one that is too long to keep, which is passed over. */
  value(type: number): Scalar | Scalar[] | undefined
  readonly at: number
}

/** Characters of a text, and items of a list, that are worth keeping: a chat template has some thousands. */
const longestText = 1 << 20
const longestList = 256
const deepest = 4

const text = 8
const list = 9
/** Bytes of a value, by the number of its type. */
const widths: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }

export function createCursor(bytes: Buffer): Cursor {
  let at = 0

  /** The place of the next so many bytes. */
  function take(length: number): number {
    const start = at
    if (start + length > bytes.length) throw new NeedsMore()
    at = start + length
    return start
  }

  function size(): number {
    const value = bytes.readBigUInt64LE(take(8))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw broken(`a count of ${value}`)
    return Number(value)
  }

  function textOf(keep: boolean): string | undefined {
    const length = size()
    const start = take(length)
    return keep && length <= longestText ? bytes.toString('utf8', start, start + length) : undefined
  }

  function scalar(type: number): Scalar | undefined {
    const width = widths[type]
    if (width === undefined) throw broken(`a value of the unknown type ${type}`)
    const start = take(width)
    switch (type) {
      case 0:
        return bytes.readUInt8(start)
      case 1:
        return bytes.readInt8(start)
      case 2:
        return bytes.readUInt16LE(start)
      case 3:
        return bytes.readInt16LE(start)
      case 4:
        return bytes.readUInt32LE(start)
      case 5:
        return bytes.readInt32LE(start)
      case 6:
        return bytes.readFloatLE(start)
      case 7:
        return bytes.readUInt8(start) !== 0
      case 10:
        return plain(bytes.readBigUInt64LE(start))
      case 11:
        return plain(bytes.readBigInt64LE(start))
      default:
        return bytes.readDoubleLE(start)
    }
  }

  /** A list of a vocabulary has a quarter of a million texts: they are walked over, not kept. */
  function items(depth: number): Scalar[] | undefined {
    if (depth > deepest) throw broken('lists in lists in lists')
    const type = bytes.readUInt32LE(take(4))
    const count = size()
    const keep = count <= longestList && type !== list
    const width = widths[type]
    if (!keep && width !== undefined) {
      take(count * width)
      return undefined
    }
    const kept: Scalar[] = []
    for (let index = 0; index < count; index++) {
      const item = type === list ? items(depth + 1) : type === text ? textOf(keep) : scalar(type)
      if (keep && item !== undefined && !Array.isArray(item)) kept.push(item)
    }
    return keep ? kept : undefined
  }

  return {
    u32: () => bytes.readUInt32LE(take(4)),
    size,
    text: () => textOf(true) ?? '',
    value: (type) => (type === text ? textOf(true) : type === list ? items(0) : scalar(type)),
    get at() {
      return at
    },
  }
}

function plain(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

export function broken(what: string): ModelwireError {
  return new ModelwireError('configuration', `the file isn't a GGUF that can be read: it has ${what}`, {
    hint: 'it is damaged, or something else under that name: download it again',
  })
}
