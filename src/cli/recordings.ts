import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Exchange } from '../index.ts'
import type { Expected } from './compare.ts'
import { readData } from './inputs.ts'
import { UsageError } from './usage.ts'

/** A recorded exchange with what it is known to say; docs/recordings.md has the format. */
export interface Recording extends Exchange {
  id: string
  expected?: Expected
  use?: string
  operation?: string
  wire?: string
  [field: string]: unknown
}

/** Which manifest and operation read an exchange. Every other field of a row must be as in the exchange. */
export interface Route {
  use: string
  operation?: string
  wire?: string
  [field: string]: unknown
}

export interface Found {
  file: string
  recording?: Recording
  /** Why it can't be replayed. */
  problem?: string
}

/** All JSON files of a folder and the folders in it. What is no exchange is left out; what can't be read is told. */
export function* readRecordings(folder: string): Generator<Found> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'))
  for (const name of names.sort()) {
    const found = readRecording(join(folder, name), name)
    if (found !== undefined) yield found
  }
}

function readRecording(path: string, name: string): Found | undefined {
  let data: unknown
  try {
    data = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    return { file: name, problem: `it can't be read: ${error instanceof Error ? error.message : String(error)}` }
  }
  if (!isMap(data) || !('response' in data)) return undefined // an index, a list of differences
  const { response } = data
  if (!isMap(response) || typeof response.status !== 'number') return { file: name, problem: 'its `response` has no status' }
  if (!isMap(response.headers)) return { file: name, problem: 'its `response` has no headers' }
  if (typeof response.bodyText !== 'string' && typeof response.bodyBase64 !== 'string')
    return { file: name, problem: 'its `response` has neither bodyText nor bodyBase64' }
  const id = typeof data.id === 'string' ? data.id : name.replace(/\.json$/, '')
  return { file: name, recording: { ...data, id } as Recording } // looked at just above; the rest is the replay's business
}

/** The rows of a mapping file: the one that was named, else one beside the recordings, else the project's. */
export async function readRoutes(folder: string, named: string | undefined): Promise<Route[]> {
  const file = named ?? [join(folder, 'recordings.yaml'), join('test', 'recordings.yaml')].find((path) => existsSync(path))
  if (file === undefined) return []
  const rows = await readData(file, 'the mapping')
  if (Array.isArray(rows) && rows.every((row) => isMap(row) && typeof row.use === 'string')) return rows as Route[] // just seen to be
  throw new UsageError(`the mapping ${file} should hold a list of rows`, 'such as { api: acme.chat, use: acme, operation: chat }')
}

/** What a row says; the rest of it is what an exchange must have. */
const answers = new Set(['use', 'operation', 'wire'])

/** What the exchange itself says, else the first row that fits it. */
export function routeOf(recording: Recording, routes: readonly Route[]): Route | undefined {
  if (typeof recording.use === 'string') {
    const { use, operation, wire } = recording
    return { use, ...(operation === undefined ? {} : { operation }), ...(wire === undefined ? {} : { wire }) }
  }
  const fits = ([field, value]: [string, unknown]): boolean => answers.has(field) || [value].flat().includes(recording[field])
  return routes.find((route) => Object.entries(route).every(fits))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
