import { existsSync, fstatSync, readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { note, paintNote } from './terminal.ts'
import { UsageError } from './usage.ts'

type PlainMap = Record<string, unknown>

/** The data in a JSON or YAML file that the command line names. */
export async function readData(file: string, what: string, hint?: string): Promise<unknown> {
  return parseData(readText(file, what), `${what} ${file}`, { json: file.endsWith('.json'), hint })
}

async function parseData(
  text: string,
  what: string,
  { json, hint }: { json: boolean; hint: string | undefined },
): Promise<unknown> {
  const { parse } = await import('yaml') // reads JSON too
  try {
    return json ? (JSON.parse(text) as unknown) : (parse(text, { maxAliasCount: 0 }) as unknown)
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new UsageError(`${what} is neither JSON nor YAML: ${reason}`, hint)
  }
}

export async function readMap(file: string, what: string, hint?: string): Promise<PlainMap> {
  return expectMap(await readData(file, what, hint), `${what} ${file}`, hint)
}

/** The same from standard input. */
export async function readPipedMap(hint: string): Promise<PlainMap> {
  const text = (await readPiped(true)) ?? ''
  if (text.trim() === '') throw new UsageError('standard input holds nothing', hint)
  return expectMap(await parseData(text, 'standard input', { json: false, hint }), 'standard input', hint)
}

function expectMap(data: unknown, what: string, hint: string | undefined): PlainMap {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as PlainMap // just seen to be one
  const got = Array.isArray(data) ? 'a list' : (JSON.stringify(data)?.slice(0, 100) ?? 'nothing')
  throw new UsageError(`${what} should hold a map, got ${got}`, hint)
}

export function readText(file: string, what: string): string {
  if (!existsSync(file)) throw new UsageError(`${what} ${file} doesn't exist`)
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${what} ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

// ---- options -----------------------------------------------------------------------------------------------------

/** More of anything that is counted was hardly meant. */
const most = 100_000

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('It should be a whole number, 0 or more.')
}

/** Milliseconds that something may take. */
export function milliseconds(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It should be a whole number of milliseconds, 1 or more.')
}

export function atLeastOne(text: string): number {
  const value = wholeNumber(text)
  if (value >= 1 && value <= most) return value
  throw new InvalidArgumentError(`It should be a whole number from 1 to ${most.toLocaleString('en')}.`)
}

export function decimal(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It should be a number.')
}

export function webAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('It should be an address such as http://127.0.0.1:8080/v1.')
}

/** For an option that may be given several times. */
export function several(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

const inherited = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype'])

/** `name=value`: a value that parses as JSON is that, any other is text; dots in the name lead into maps. */
export function setting(text: string, before: PlainMap | undefined): PlainMap {
  const at = text.indexOf('=')
  const names = text.slice(0, Math.max(at, 0)).split('.')
  if (at <= 0 || names.includes('')) throw new InvalidArgumentError('It should look like name=value, or outer.inner=value.')
  if (names.some((name) => inherited.has(name))) throw new InvalidArgumentError('Names that every object has are refused.')
  const made = before ?? {}
  let map = made
  for (const name of names.slice(0, -1)) {
    const inner = map[name]
    map = (typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? inner : (map[name] = {})) as PlainMap // a map either way
  }
  map[names.at(-1) ?? ''] = jsonOrText(text.slice(at + 1))
  return made
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text // most values are plain words
  }
}

// ---- standard input ----------------------------------------------------------------------------------------------

/** Milliseconds that a socket gets to say its first word, when there is a prompt without it. */
const patience = 300
/** Milliseconds after which we say what we are waiting for. */
const silence = 3_000

/**
 * What was piped in; undefined on a terminal. A pipe of a shell is read to its end. A program that starts us leaves a
 * socket open without ever writing to it: one that stays silent isn't waited for, if we could do without.
 */
export async function readPiped(required: boolean): Promise<string | undefined> {
  if (process.stdin.isTTY) return undefined
  const abandon = !required && isSocket(0) ? patience : undefined
  const told = setTimeout(
    () => note(paintNote.dim('waiting for standard input (Ctrl-D ends it, `< /dev/null` does without)')),
    silence,
  )
  try {
    return await readAll(process.stdin, abandon)
  } finally {
    clearTimeout(told)
  }
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket()
  } catch {
    return true // standard input was closed before we began
  }
}

function readAll(stream: NodeJS.ReadStream, abandon: number | undefined): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const finish = (text: string | undefined): void => {
      clearTimeout(timer)
      stream.removeAllListeners()
      stream.unref?.()
      stream.pause()
      resolve(text)
    }
    const timer = abandon === undefined ? undefined : setTimeout(() => finish(undefined), abandon)
    stream.on('data', (part: Buffer) => {
      clearTimeout(timer)
      parts.push(part)
    })
    stream.on('end', () => finish(Buffer.concat(parts).toString()))
    stream.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EISDIR' || error.code === 'EBADF' ? finish(undefined) : reject(error),
    )
  })
}
