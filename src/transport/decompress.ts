import { Readable, pipeline } from 'node:stream'
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { ModelwireError } from '../core/error.ts'
import { tooLarge } from './body.ts'

export type Encoding = keyof typeof decoders

/** Decoded bytes, and a way to end them at once with an error, whatever has been decoded already. */
export interface Decoded {
  readonly bytes: AsyncIterable<Uint8Array>
  fail(error: ModelwireError): void
}

/** The encodings of a reply, in the order to undo them. A chain of more than two has one purpose: to blow up. */
export function encodings(header: string | undefined): Encoding[] {
  if (header === undefined) return []
  const names = header.split(',').map((name) => name.trim().toLowerCase())
  const applied = names.filter((name) => name !== '' && name !== 'identity').map(known)
  if (applied.length > 2) throw new ModelwireError('protocol', `The reply is encoded ${applied.length} times over.`)
  return applied.toReversed()
}

/**
 * Undoes the encodings as the bytes come: each chunk gives all that can be decoded from it, so no event is held back. A
 * stream cut short is an error, because zlib's strict finish is left as it is (fetch relaxes it, and there a gzip body
 * cut short looks complete).
 */
export function decompress(source: AsyncIterable<Uint8Array>, names: Encoding[], maxBytes: number): Decoded {
  const input = source[Symbol.asyncIterator]()
  let output: Transform | undefined
  let decoded: AsyncIterator<Uint8Array> | undefined
  let failure: ModelwireError | undefined
  let total = 0

  async function open(): Promise<AsyncIterator<Uint8Array>> {
    const first = await input.next()
    if (first.done) return input // no byte at all: an empty body is not a stream cut short
    const steps = names.map((name) => decoders[name](first.value))
    output = steps.at(-1)
    pipeline([Readable.from(startingWith(first.value, input)), ...steps], () => {}) // errors come out of the iterator
    return output?.[Symbol.asyncIterator]() ?? input
  }

  async function next(): Promise<IteratorResult<Uint8Array>> {
    if (failure) throw failure
    try {
      decoded ??= await open()
      const result = await decoded.next()
      if (result.done) return result
      total += result.value.byteLength
      if (total > maxBytes) throw tooLarge(maxBytes)
      return result
    } catch (error) {
      failure ??= explain(error, names)
      output?.destroy()
      throw failure
    }
  }

  async function leave(): Promise<IteratorResult<Uint8Array>> {
    output?.destroy()
    await input.return?.()
    return { done: true, value: undefined }
  }

  function fail(error: ModelwireError): void {
    failure = error
    output?.destroy(error)
  }

  return { bytes: { [Symbol.asyncIterator]: () => ({ next, return: leave }) }, fail }
}

const chunkSize = 32 * 1024
const decoders = {
  gzip: (): Transform => zlib.createGunzip({ chunkSize }),
  'x-gzip': (): Transform => zlib.createGunzip({ chunkSize }),
  // The RFC means a zlib stream, many servers send a bare one; the low four bits of a zlib header are always 8.
  deflate: (first: Uint8Array): Transform =>
    ((first[0] ?? 0) & 15) === 8 ? zlib.createInflate({ chunkSize }) : zlib.createInflateRaw({ chunkSize }),
  br: (): Transform => zlib.createBrotliDecompress({ chunkSize }),
  // Not zstd, which is never asked for: Node 22 takes one that was cut for whole.
} satisfies Record<string, (first: Uint8Array) => Transform>

function known(name: string): Encoding {
  if (Object.hasOwn(decoders, name)) return name as Encoding // one of its own keys, as just checked
  throw new ModelwireError('protocol', `The reply is encoded as "${name.slice(0, 20)}", which is unknown here.`)
}

function startingWith(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  let given = false
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    if (given) return rest.next()
    given = true
    return Promise.resolve({ done: false, value: first })
  }
  return {
    [Symbol.asyncIterator]: () => ({ next, return: async () => (await rest.return?.()) ?? { done: true, value: undefined } }),
  }
}

function explain(error: unknown, names: Encoding[]): ModelwireError {
  if (error instanceof ModelwireError) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new ModelwireError('truncated', `The ${names.join(', ')} body of the reply ended too soon.`)
  }
  return new ModelwireError('protocol', `The body of the reply is not the ${names.join(', ')} that it claims to be.`)
}
