import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { asText, type Eval, isMap } from '../lang/value.ts'
import { secretive } from '../manifest/compile.ts'
import type { Service, Way } from '../manifest/service.ts'
import type { Orders } from './guardian.ts'
import { loopback } from './port.ts'
import { findProgram } from './program.ts'

type Environment = Record<string, string | undefined>

/** What a start asks for. */
export interface Wanted {
  model: string | undefined
  args: readonly string[]
  port: number
  apiKey: string | undefined
  env: Readonly<Record<string, string>>
}

/** A way made ready for one start. */
export interface Launch {
  orders: Orders
  /** Prints the newest lines of the log. */
  logs: ((lines: number) => string[]) | undefined
  /** Prints something as long as the service runs, where no process of ours would tell. */
  alive: string[] | undefined
}

/** The way that was named, or the first whose program is on this machine. */
export function chooseWay(id: string, service: Service, named: string | undefined, env: Environment): Way {
  const names = service.ways.map(({ name }) => name)
  if (named !== undefined && !names.includes(named))
    throw new ModelwireError('configuration', `expected a way to start "${id}", got "${named}"`, {
      hint: `it has ${names.join(', ')}`,
    })
  const ways = service.ways.filter(({ name }) => named === undefined || name === named)
  const found = ways.find((way) => findProgram(programOf(way), env) !== undefined)
  if (found !== undefined) return found
  const programs = [...new Set(ways.map(programOf))].join(', ')
  throw new ModelwireError('configuration', `"${id}" can't be started: none of its programs (${programs}) is on the PATH`, {
    hint: service.docs === undefined ? 'install one of them' : `install one of them: ${service.docs}`,
  })
}

/** The program that a way starts with; a command's first item never depends on what is asked. */
function programOf(way: Way): string {
  if (way.compose !== undefined) return 'docker'
  const [program] = words(way.command, {})
  return program ?? ''
}

export function prepareLaunch(id: string, way: Way, wanted: Wanted, env: Environment): Launch {
  const fields = fieldsOf(wanted)
  const own = way.env({ ...fields, apiKey: wanted.apiKey }, {})
  const handed = { ...inherited(env, way.pass), ...texts(own), ...wanted.env }
  const common = { env: handed, signal: way.stop.signal, grace: way.stop.grace }
  const located = ([program = '', ...rest]: string[]): string[] => [findProgram(program, env) ?? program, ...rest]
  if (way.compose !== undefined) {
    const { file, folder } = composeFile(way.compose, fields)
    const client = located(['docker', 'compose', '-p', `modelwire-${id}-${randomBytes(4).toString('hex')}`, '-f', file])
    const seconds = String(Math.ceil(way.stop.grace / 1_000))
    return {
      orders: {
        ...common,
        command: [...client, 'up', '--detach'],
        returns: true,
        down: [...client, 'down', '--timeout', seconds],
        grace: way.stop.grace + 10_000, // the client's own work comes on top
        folder,
      },
      logs: (lines) => [...client, 'logs', '--no-color', '--no-log-prefix', '--tail', String(lines)],
      alive: [...client, 'ps', '--status', 'running', '--quiet'],
    }
  }
  const down = way.stop.command === undefined ? undefined : located(words(way.stop.command, fields))
  const logs = way.logs === undefined ? undefined : located(words(way.logs, fields))
  return {
    orders: { ...common, command: located(words(way.command, fields)), returns: way.returns, down, folder: undefined },
    logs: logs === undefined ? undefined : () => logs,
    alive: undefined,
  }
}

function fieldsOf({ model, args, port }: Wanted): Record<string, unknown> {
  const path = model !== undefined && existsSync(model) ? resolve(model) : undefined
  return {
    host: loopback,
    port,
    args,
    ...(model === undefined ? {} : { model: path ?? model }),
    ...(path === undefined ? {} : { folder: dirname(path), file: basename(path) }),
  }
}

/** A document is written where only its owner reads it; the folder goes when the service ends. */
function composeFile(
  compose: NonNullable<Way['compose']>,
  fields: Record<string, unknown>,
): { file: string; folder: string | undefined } {
  if ('file' in compose) return { file: compose.file, folder: undefined }
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-service-'))
  const file = join(folder, 'compose.json')
  // Compose has `$` variables of its own; what is written here has been filled in already.
  writeFileSync(file, JSON.stringify(compose.document(fields, {}), null, 2).replaceAll('$', '$$$$'), { mode: 0o600 })
  return { file, folder }
}

/** Our environment without what looks like a secret: an engine has no use for the keys of others. */
function inherited(env: Environment, pass: readonly string[]): Record<string, string> {
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && (pass.includes(entry[0]) || !secretive.test(entry[0])),
  )
  return Object.fromEntries(kept)
}

function words(list: Eval | undefined, fields: Record<string, unknown>): string[] {
  const made = list?.(fields, {})
  return Array.isArray(made) ? made.filter((item) => item !== undefined && item !== null).map(asText) : []
}

function texts(value: unknown): Record<string, string> {
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asText(item)])) : {}
}
