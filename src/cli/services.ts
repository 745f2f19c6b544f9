import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import type { ProviderInfo, Runtime, ServiceStatus } from '../index.ts'
import { isModelwireError, type Status, tell } from './failure.ts'
import { interruptible, openRuntime, protocolsOption, type SessionFlags } from './session.ts'
import { note, out, outJson, paint, paintNote, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

interface ServicesFlags extends SessionFlags {
  json?: boolean
}

interface StartFlags extends ServicesFlags {
  model?: string
  way?: string
  port?: string
  within?: string
  log?: string
  key: boolean
  verbose?: boolean
}

const examples = `
Examples:
  modelwire services                                     which engines can be started here, and which run
  modelwire services start provider -m ./model.gguf      until Ctrl-C, or until this command ends in any way
  modelwire services start provider -m ./model.gguf -- --threads 4
  modelwire services status provider

start runs what the manifest's \`service\` says. What it prints on standard output tells another shell where the engine
is: eval it there. An engine that somebody else runs is found, and left alone.`

export function servicesCommand(program: Command, done: (status: Status) => void): void {
  const group = program
    .command('services')
    .description('start engines on this machine, and ask for their health')
    .addHelpText('after', examples)
  const list = group.command('list', { isDefault: true }).description('the engines that manifests can start, and whether they run')
  options(list).action(async (flags: ServicesFlags) => done(await tellStatus([], flags)))
  const status = group
    .command('status')
    .description('whether engines run and are healthy; exit status 1 if one is not')
    .argument('<provider...>')
  options(status).action(async (ids: string[], flags: ServicesFlags) => done(await tellStatus(ids, flags)))
  const start = group
    .command('start')
    .description('start an engine, and keep it until this command ends')
    .argument('<provider>', 'whose engine')
    .argument('[args...]', 'further arguments for the engine, after --')
  options(start)
    .option('-m, --model <model>', 'what it serves: a file, or a name that it knows')
    .option('--way <name>', "one of the manifest's ways; else the first whose program is here")
    .option('--port <number>', 'the port; else a free one')
    .option('--within <seconds>', 'how long it may take to become healthy')
    .option('--log <file>', 'append what it prints to this file')
    .option('--no-key', 'let every user of this machine call it')
    .option('-v, --verbose', 'show what it prints')
    .action(async (id: string, args: string[], flags: StartFlags) => done(await startService(id, args, flags)))
}

function options(command: Command): Command {
  return protocolsOption(command).option('--json', 'print JSON').addHelpText('after', examples)
}

// ---- list and status ---------------------------------------------------------------------------------------------

async function tellStatus(ids: string[], flags: ServicesFlags): Promise<Status> {
  const mw = await openRuntime(flags)
  try {
    const known = mw.providers().filter(({ ways }) => ways !== undefined)
    const asked = ids.length > 0 ? ids : known.map(({ id }) => id)
    const statuses = await Promise.all(asked.map((id) => mw.serviceStatus(id)))
    if (flags.json === true) outJson(statuses)
    else await showStatus(statuses, known)
    return ids.length > 0 && statuses.some(({ healthy }) => !healthy) ? 1 : 0
  } finally {
    await mw.close()
  }
}

async function showStatus(statuses: ServiceStatus[], known: ProviderInfo[]): Promise<void> {
  const { table } = await import('./table.ts')
  const rows = statuses.map(({ id, healthy, url, error }) => {
    const about = known.find((info) => info.id === id)
    const state = healthy ? paint.green('healthy') : paint.dim('not running')
    const more = healthy || error === undefined ? '' : paint.dim(safe(error))
    return [paint.bold(id), safe(about?.name ?? ''), (about?.ways ?? []).join(', '), state, safe(url ?? ''), more]
  })
  out(table(['service', 'name', 'ways', 'state', 'address', ''], rows, ['', 'name']))
}

// ---- start -------------------------------------------------------------------------------------------------------

/** Milliseconds between two looks at an engine that runs. */
const interval = 1_000

async function startService(id: string, args: string[], flags: StartFlags): Promise<Status> {
  const mw = await openRuntime(flags)
  const { signal, stop } = interruptible()
  // Made here and not by the runtime, so that it can be told to the shell that is to use it.
  const apiKey = flags.key && Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString('base64url')
  const words: string[] = []
  try {
    const status = await mw.startService(id, {
      args,
      apiKey,
      signal,
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.way === undefined ? {} : { way: flags.way }),
      ...(flags.port === undefined ? {} : { port: number(flags.port, '--port', 65_535) }),
      ...(flags.within === undefined ? {} : { within: number(flags.within, '--within', 86_400) * 1_000 }),
      ...(flags.log === undefined ? {} : { logFile: flags.log }),
      ...(flags.verbose === true ? { onLog: (line: string) => note(paintNote.dim(safe(line))) } : {}),
    })
    const exports = status.managed ? environmentOf(mw, status, apiKey) : {}
    for (const [name, value] of Object.entries(exports)) words.push(`export ${name}='${value}'\n`)
    if (flags.json === true) outJson({ ...status, environment: exports })
    else out(words.join(''))
    note(`${paintNote.bold(id)} is ${status.managed ? 'ready' : 'run by somebody else'} at ${safe(status.url ?? '')}`)
    return status.managed ? await stay(mw, id, signal) : 0
  } catch (error) {
    return signal.aborted && isModelwireError(error) && error.kind === 'cancelled' ? 130 : tell(error)
  } finally {
    stop()
    await mw.close()
  }
}

/** What another shell needs to call it. */
function environmentOf(mw: Runtime, status: ServiceStatus, apiKey: string | false): Record<string, string> {
  const [key] = mw.providers().find(({ id }) => id === status.id)?.keys ?? []
  const address = `MODELWIRE_${status.id.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}_BASE_URL`
  return {
    ...(status.baseUrl === undefined ? {} : { [address]: status.baseUrl }),
    ...(status.keyed === true && apiKey !== false && key !== undefined ? { [key]: apiKey } : {}),
  }
}

/** Until Ctrl-C, which is how this is meant to end, or until the engine ends by itself. */
async function stay(mw: Runtime, id: string, signal: AbortSignal): Promise<Status> {
  while (!signal.aborted) {
    await wait(interval, undefined, { signal }).catch(() => undefined) // that was the Ctrl-C
    if (signal.aborted) break
    const { running, error } = await mw.serviceStatus(id)
    if (running) continue
    note(`${paintNote.red('error:')} ${safe(`"${id}" is over: ${error ?? 'nobody knows why'}`)}`)
    return 1
  }
  note(`ending ${id}`)
  return 0
}

function number(text: string, option: string, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0 && value <= most) return value
  throw new UsageError(`${option} takes a number from 1 to ${most}, got ${JSON.stringify(text)}`)
}
