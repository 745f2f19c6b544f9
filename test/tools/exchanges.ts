import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { actualOf, type Difference, differences, type Expected } from '../../src/cli/compare.ts'
import { createRuntime, type Event, type Exchange, ModelwireError, type Replayed, type ReplayOptions } from '../../src/index.ts'

/** An exchange of the recordings' format, with where it comes from. */
export interface Recording extends Exchange {
  id: string
  file: string
  api: string
  provider: string
  kind: string
  framing: string
  expected: Expected
  use?: string
  operation?: string
  wire?: string
}

export interface Route {
  api: string
  provider?: string
  use: string
  operation: string
  wire?: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The recordings beside the project; undefined when they aren't there. */
export const sharedRecordings = existsSync(here('../../../shared/recordings')) ? here('../../../shared/recordings') : undefined

export const routes = parse(readFileSync(here('../recordings.yaml'), 'utf8')) as Route[] // our own file

export function readExchanges(folder: string): Recording[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') && !name.endsWith('index.json'))
    .sort()
    .map((name) => Object.assign(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recording, { file: name }))
}

/** First match wins; an exchange may also say itself who reads it. */
export function routeOf(recording: Recording): Omit<Route, 'api'> | undefined {
  if (recording.use !== undefined)
    return {
      use: recording.use,
      operation: recording.operation ?? 'chat',
      ...(recording.wire === undefined ? {} : { wire: recording.wire }),
    }
  return routes.find(
    (route) => route.api === recording.api && (route.provider === undefined || route.provider === recording.provider),
  )
}

export interface Told {
  events: Event[]
  replayed?: Replayed
  error?: ModelwireError
}

const runtime = createRuntime({ env: {} })

/** One replay; a ModelwireError is part of the outcome, anything else is a defect. */
export function tell(recording: Exchange, route: Omit<Route, 'api'>, cut?: ReplayOptions['cut']): Told {
  try {
    const replayed = runtime.replay(recording, {
      provider: route.use,
      operation: route.operation,
      ...(route.wire === undefined ? {} : { wire: route.wire }),
      ...(cut === undefined ? {} : { cut }),
    })
    return { events: replayed.events, replayed }
  } catch (error) {
    if (error instanceof ModelwireError) return { events: [], error }
    throw error
  }
}

export function differencesOf(recording: Recording, told: Told): Difference[] {
  const { replayed, error } = told
  return differences(
    recording.expected,
    actualOf({ ...(replayed === undefined ? {} : { replayed }), ...(error === undefined ? {} : { error }) }),
  )
}

/** Events and ending as text; ids that were made up are random, so they are numbered. */
export function trace({ events, error }: Told): string {
  const ids = new Map<string, string>()
  const partial = error?.partial === undefined ? undefined : { ...error.partial, timing: undefined }
  return JSON.stringify([events, error === undefined ? null : [error.kind, error.message, partial]]).replace(
    /call_[0-9a-f]{24}/g,
    (id) => {
      const known = ids.get(id) ?? `made-up-${ids.size}`
      ids.set(id, known)
      return known
    },
  )
}
