import { isUtf8 } from 'node:buffer'
import { readFileSync, statSync } from 'node:fs'
import { ModelwireError } from '../core/error.ts'
import { mistake } from './mistake.ts'
import { readYaml } from './yaml.ts'

/** One manifest as it was written: not extended, not compiled. A new version of a file is a new Source. */
export interface Source {
  file: string
  text: string
  data: Record<string, unknown>
}

/** Bytes. The largest manifest anyone needs has a few thousand. */
const limit = 256 * 1024

/**
 * Reads the text of a manifest. Throws a ModelwireError of kind `manifest` with `where` and `hint` for what isn't YAML 1.2
 * and for what YAML allows but a manifest doesn't: aliases, tags, double keys, text that another parser reads differently.
 */
export function parseManifest(text: string, file: string): Source {
  // A character has at least one byte, so a huge text is refused without counting its bytes.
  if (text.length > limit || Buffer.byteLength(text) > limit) throw tooLarge(file)
  return { file, text, data: readYaml(text, file) }
}

/** Reads the manifest in `file`. Throws like parseManifest; a file that can't be read is an error of kind `configuration`. */
export function readManifest(file: string): Source {
  return parseManifest(readText(file), file)
}

/** The text of a manifest's file, whose size is checked before it is read. */
export function readText(file: string): string {
  const bytes = readBytes(file)
  if (!isUtf8(bytes)) throw mistake('expected UTF-8 text, got other bytes', start(file), 'Save the file as UTF-8.')
  return bytes.toString()
}

function readBytes(file: string): Buffer {
  try {
    const stats = statSync(file)
    if (!stats.isFile()) throw new Error('it is not a file')
    if (stats.size > limit) throw tooLarge(file)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof ModelwireError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ModelwireError('configuration', `the manifest ${file} can't be read: ${reason}`, { cause: error })
  }
}

function tooLarge(file: string): ModelwireError {
  return mistake('expected at most 256 KB, got a larger file', start(file), 'Split it: a manifest may extend several others.')
}

function start(file: string): { file: string; line: number; column: number } {
  return { file, line: 1, column: 1 }
}
