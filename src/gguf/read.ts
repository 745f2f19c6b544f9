import { open, stat } from 'node:fs/promises'
import { dirname, join, basename } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { broken, NeedsMore } from './cursor.ts'
import { type GgufHeader, parseHeader, type Parsed } from './header.ts'

/** Bytes of the first look; most headers are a few megabytes because of their vocabulary. */
const firstLook = 1 << 20
const largestHeader = 256 << 20
const mostParts = 1_000

/**
 * The header of a model file, and of all its parts if it is split (`…-00001-of-00003.gguf`). Nothing but the headers is
 * read. Throws `not_found` for a file that isn't there, `configuration` for one that is no GGUF or that was cut short.
 */
export async function readGguf(file: string): Promise<GgufHeader> {
  const first = await readPart(file)
  const parts = partsOf(file)
  const others = await Promise.all(parts.slice(1).map(readPart))
  return {
    ...first.header,
    file,
    fileSize: [first, ...others].reduce((sum, { size }) => sum + size, 0),
    tensors: [first, ...others].flatMap(({ header }) => header.tensors),
    parts,
  }
}

/** All files of a model by the name of its first. */
export function partsOf(file: string): string[] {
  const [, stem, count] = /^(.*)-00001-of-(\d{5})\.gguf$/.exec(basename(file)) ?? []
  if (stem === undefined || count === undefined || Number(count) > mostParts) return [file]
  return Array.from({ length: Number(count) }, (_, index) =>
    join(dirname(file), `${stem}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`),
  )
}

async function readPart(file: string): Promise<Parsed & { size: number }> {
  const { size } = await lookAt(file)
  const handle = await open(file, 'r')
  try {
    for (let look = firstLook; ; look *= 4) {
      const length = Math.min(look, size, largestHeader)
      const bytes = Buffer.alloc(length)
      const { bytesRead } = await handle.read(bytes, 0, length, 0)
      try {
        const parsed = parseHeader(bytes.subarray(0, bytesRead))
        if (parsed.end > size) throw cut(file, parsed.end - size)
        return { ...parsed, size }
      } catch (error) {
        if (error instanceof ModelwireError) throw named(error, file)
        if (!(error instanceof NeedsMore)) throw error
        if (length === size) throw cut(file)
        if (length === largestHeader) throw named(broken(`a header of more than ${largestHeader} bytes`), file)
      }
    }
  } finally {
    await handle.close()
  }
}

async function lookAt(file: string): Promise<{ size: number }> {
  try {
    const stats = await stat(file)
    if (stats.isFile()) return stats
  } catch (error) {
    throw new ModelwireError('not_found', `there is no model file ${file}`, {
      hint: '`modelwire models list` shows the models that are here',
      cause: error,
    })
  }
  throw new ModelwireError('not_found', `${file} is no file`, { hint: 'name the .gguf file itself' })
}

function named(error: ModelwireError, file: string): ModelwireError {
  return new ModelwireError(
    error.kind,
    error.message.startsWith('the file ') ? error.message.replace('the file', file) : error.message,
    {
      hint: error.hint,
    },
  )
}

function cut(file: string, missing?: number): ModelwireError {
  const how = missing === undefined ? 'it ends in its header' : `${missing} bytes are missing at its end`
  return new ModelwireError('configuration', `${file} isn't whole: ${how}`, { hint: 'download it again' })
}
