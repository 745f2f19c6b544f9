import { closeSync, openSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ModelwireError } from '../core/error.ts'

/** What a service has printed: the newest lines in memory, all of them in a file if one was named. */
export interface Log {
  /** Takes lines from an output until it ends. */
  read(stream: Readable | null): void
  /** The newest lines, oldest first. */
  tail(lines: number): string[]
  close(): void
}

export interface LogOptions {
  /** A file that the lines are appended to; readable by its owner only. */
  file?: string | undefined
  /** Hears each line. */
  hear?: ((line: string) => void) | undefined
  /** Texts that never stand in it. */
  secrets: readonly string[]
}

const most = 1_000
const longest = 4_096

export function createLog({ file, hear, secrets }: LogOptions): Log {
  const lines: string[] = []
  let handle = file === undefined ? undefined : open(file)

  const add = (raw: string): void => {
    const line = secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), raw.replace(/\r$/, ''))
    lines.push(line)
    if (lines.length > most) lines.shift()
    hear?.(line)
    if (handle === undefined) return
    try {
      writeSync(handle, `${line}\n`)
    } catch (error) {
      // A full disk is no reason to end the service: its last lines stay in memory, and they say so.
      handle = undefined
      lines.push(`[modelwire] the log file can't be written any more: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    read(stream) {
      if (stream === null) return
      const decoder = new StringDecoder('utf8')
      let held = ''
      stream.on('data', (chunk: Buffer) => {
        const pieces = (held + decoder.write(chunk)).split('\n')
        held = pieces.pop() ?? ''
        for (const piece of pieces) add(piece.slice(0, longest))
        if (held.length <= longest) return
        add(held.slice(0, longest)) // a line without an end
        held = ''
      })
      stream.once('end', () => {
        if (held !== '') add(held)
      })
    },
    tail: (count) => lines.slice(-Math.max(0, count)),
    close() {
      if (handle !== undefined) closeSync(handle)
      handle = undefined
    },
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'a', 0o600)
  } catch (error) {
    throw new ModelwireError('configuration', `the log file ${file} can't be opened`, { cause: error })
  }
}
