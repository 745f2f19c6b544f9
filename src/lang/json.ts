import { recall } from './texts.ts'

const quote = 0x22
const backslash = 0x5c
export const comma = 0x2c

/** A text of at most so many characters is looked through faster than it is looked up. */
const short = 48
/** Characters of a text whose bytes are worth counting, before room is made for the most that they can be. */
const long = 1 << 15
/** Bytes of memory that are kept for the next body. */
const spareBytes = 1 << 20

/**
 * JSON as bytes, written piece by piece. Who finds nothing to say after all puts `length` back to where it was.
 */
export class JsonWriter {
  length = 0
  #bytes: Buffer = Buffer.allocUnsafeSlow(1 << 14)

  /** Bytes that are JSON already. */
  raw(json: Uint8Array): void {
    this.#room(json.length)
    const bytes = this.#bytes
    let { length } = this
    for (let index = 0; index < json.length; index++) bytes[length++] = json[index] as number // within bounds
    this.length = length
  }

  byte(code: number): void {
    this.#room(1)
    this.#bytes[this.length++] = code
  }

  /** What JSON.stringify writes; false for nothing and for what JSON has no form for (a function, a symbol). */
  value(value: unknown): boolean {
    if (typeof value === 'string') {
      this.#text(value)
      return true
    }
    if (value === undefined || value === null) return false
    const json = JSON.stringify(value) as string | undefined
    if (json === undefined) return false
    this.#utf8(json)
    return true
  }

  /** A list's members without its brackets: there a hole is null. False for an empty list. */
  members(list: readonly unknown[]): boolean {
    for (let index = 0; index < list.length; index++) {
      if (index > 0) this.byte(comma)
      if (!this.value(list[index])) this.#utf8('null')
    }
    return list.length > 0
  }

  take(): Buffer {
    const taken = Buffer.allocUnsafe(this.length)
    this.#bytes.copy(taken, 0, 0, this.length)
    return taken
  }

  /** Makes it ready for the next body; false where it has grown too large to be kept for that. */
  reset(): boolean {
    this.length = 0
    return this.#bytes.length <= spareBytes
  }

  #text(text: string): void {
    if (text.length <= short) return this.#short(text)
    const known = recall(text)
    if (known === undefined) return this.#utf8(JSON.stringify(text))
    this.#room(known.end - known.start)
    this.length += known.bytes.copy(this.#bytes, this.length, known.start, known.end)
  }

  #short(text: string): void {
    this.#room(short + 2)
    const bytes = this.#bytes
    let { length } = this
    bytes[length++] = quote
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x20 || code > 0x7e || code === quote || code === backslash) return this.#utf8(JSON.stringify(text))
      bytes[length++] = code
    }
    bytes[length++] = quote
    this.length = length
  }

  #utf8(text: string): void {
    this.#room(text.length > long ? Buffer.byteLength(text) : text.length * 3)
    this.length += this.#bytes.write(text, this.length)
  }

  #room(count: number): void {
    if (this.length + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + count))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }
}

let spare: JsonWriter | undefined

/** The bytes of what `write` writes; nothing where it says that it wrote nothing. */
export function jsonBytes(write: (out: JsonWriter) => boolean): Buffer | undefined {
  const out = spare ?? new JsonWriter()
  spare = undefined // whose `toJSON` makes a call of its own while we write gets another
  try {
    return write(out) ? out.take() : undefined
  } finally {
    if (out.reset()) spare = out
  }
}
