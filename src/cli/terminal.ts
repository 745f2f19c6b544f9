import { relative, resolve } from 'node:path'
import picocolors from 'picocolors'
import { clean } from './clean.ts'

type Colours = ReturnType<typeof picocolors.createColors>

/** Colours are for a terminal, and for who wants them (https://no-color.org). */
export function mayColour(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb'
}

/** For standard output. */
export const paint: Colours = picocolors.createColors(mayColour(process.stdout))
/** For standard error. */
export const paintNote: Colours = picocolors.createColors(mayColour(process.stderr))

export function out(text: string): void {
  process.stdout.write(text)
}

/** One line of JSON; bytes are written as base64. */
export function outJson(value: unknown): void {
  out(`${toJson(value)}\n`)
}

/** Something that stands beside the output: on standard error, as a line. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Text of others, to be shown where a terminal may be listening. */
export function safe(text: string): string {
  return clean(text)
}

/** A file's path as the user would write it: from here, where it lies below. */
export function near(file: string): string {
  const path = relative(process.cwd(), resolve(file))
  return path.startsWith('..') ? file : path
}

export function toJson(value: unknown, indent?: number): string {
  const plain = function (this: unknown, key: string, item: unknown): unknown {
    const own = typeof this === 'object' && this !== null ? (this as Record<string, unknown>)[key] : item // before toJSON made a list of it
    return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : item
  }
  return JSON.stringify(value, plain, indent)
}

/** A reader that leaves (`| head`) ends the command quietly. Without a listener Node would print a stack. */
export function surviveClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    process.stderr.write(`error: the output can't be written: ${error.message}\n`)
    process.exit(1)
  })
  process.stderr.on('error', () => undefined) // nobody is there to be told
}
