import { dirname, resolve } from 'node:path'
import { parseDuration } from '../core/duration.ts'
import { compileTest, type Context, type Place } from '../lang/context.ts'
import type { Pattern } from '../lang/pattern.ts'
import { compileTemplate } from '../lang/template.ts'
import { type Eval, isMap, type PlainMap } from '../lang/value.ts'
import { createContext, type Fault, throwFault } from './compile.ts'
import { positionOf } from './position.ts'
import { didYouMean } from './suggest.ts'

/** An engine that can be started on this machine, compiled: closures only. */
export interface Service {
  docs: string | undefined
  /** The one port it can have; absent: a free one is found. */
  port: number | undefined
  health: Health
  /** In the order in which they are tried. */
  ways: Way[]
}

export interface Health {
  path: string
  status: number
  body: Pattern | undefined
  /** Milliseconds. */
  every: number
  within: number
}

/** Lists of a program and its arguments; `$` is what the start was asked for. */
export interface Way {
  name: string
  command: Eval | undefined
  compose: { document: Eval } | { file: string } | undefined
  env: Eval
  /** Variables that it is handed though they look like secrets. */
  pass: readonly string[]
  /** The command ends by itself and leaves the service running. */
  returns: boolean
  /** Whether the engine takes a key: its `env` reads one. */
  keyed: boolean
  stop: { signal: NodeJS.Signals; grace: number; command: Eval | undefined }
  logs: Eval | undefined
}

const asked = ['model', 'folder', 'file', 'host', 'port', 'args'] as const
const nothing: Eval = () => undefined

/** Compiles the `service` of a manifest whose `extends` is resolved; nothing if it has none. */
export function compileService(manifest: PlainMap, report: (fault: Fault) => void = throwFault): Service | undefined {
  const { service: node } = manifest
  if (!isMap(node)) return undefined
  const context: Context = { ...createContext(manifest, report), atRequest: true, complain: complaint }
  const health = isMap(node.health) ? node.health : {}
  const ways = isMap(node.ways) ? node.ways : {}
  return {
    docs: typeof node.docs === 'string' ? node.docs : undefined,
    port: typeof node.port === 'number' ? node.port : undefined,
    health: {
      path: typeof health.get === 'string' ? health.get : '/',
      status: typeof health.status === 'number' ? health.status : 200,
      body: health.body === undefined ? undefined : compileTest(health.body, createContext(manifest, report), at(health, 'body')),
      every: span(health.every, 200),
      within: span(health.within, 60_000),
    },
    ways: Object.entries(ways).flatMap(([name, way]) =>
      isMap(way) ? [compileWay(name, way, context, { container: ways, key: name })] : [],
    ),
  }
}

/** Milliseconds of a span such as `30s`; the schema allows no other form. */
export function span(node: unknown, otherwise: number): number {
  return typeof node === 'string' ? (parseDuration(node) ?? otherwise) : otherwise
}

function compileWay(name: string, node: PlainMap, context: Context, place: Place): Way {
  const stop = isMap(node.stop) ? node.stop : {}
  const keys: Context = { ...context, complain: keyComplaint, reads: new Set(), fragments: new Map() }
  const list = (container: PlainMap, key: string): Eval | undefined =>
    Array.isArray(container[key]) ? compileTemplate(container[key], context, at(container, key)) : undefined
  const env = isMap(node.env) ? compileTemplate(node.env, keys, at(node, 'env')) : nothing
  const command = list(node, 'command')
  const compose = compileCompose(node, context)
  const returns = node.returns === true
  if ((command === undefined) === (compose === undefined))
    context.report({
      message: `expected one of \`command\` and \`compose\`, got ${command === undefined ? 'none' : 'both'}`,
      place,
    })
  if (returns && stop.command === undefined)
    context.report({ message: 'expected `stop.command`: what `returns` leaves running has no process to signal', place })
  return {
    name,
    command,
    compose,
    env,
    pass: Array.isArray(node.pass) ? node.pass.map(String) : [],
    returns,
    keyed: keys.reads.has('apiKey'),
    stop: {
      signal: typeof stop.signal === 'string' ? (stop.signal as NodeJS.Signals) : 'SIGTERM', // the schema allows four of them
      grace: span(stop.grace, 10_000),
      command: list(stop, 'command'),
    },
    logs: list(node, 'logs'),
  }
}

/** A document written here, or a file beside the manifest that names it. */
function compileCompose(node: PlainMap, context: Context): Way['compose'] {
  const { compose } = node
  if (isMap(compose)) return { document: compileTemplate(compose, context, at(node, 'compose')) }
  if (typeof compose !== 'string') return undefined
  return { file: resolve(dirname(positionOf(node, 'compose')?.file ?? '.'), compose) }
}

function at(container: PlainMap, key: string): Place {
  return { container, key }
}

function complaint(field: string): string | undefined {
  if (field === 'apiKey') return 'expected the key in `env` alone: a command line can be read by every user of the machine'
  return unknown(field, asked)
}

function keyComplaint(field: string): string | undefined {
  return unknown(field, [...asked, 'apiKey'])
}

function unknown(field: string, known: readonly string[]): string | undefined {
  if (known.includes(field)) return undefined
  return `expected what a start is asked for (${known.join(', ')}), got "${field}"${didYouMean(field, known)}`
}
