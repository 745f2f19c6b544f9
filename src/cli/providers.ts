import type { Command } from 'commander'
import type { ProviderInfo } from '../index.ts'
import type { Status } from './failure.ts'
import { openRuntime, protocolsOption, type SessionFlags } from './session.ts'
import { near, note, out, outJson, paint, paintNote, safe } from './terminal.ts'

const examples = `
Examples:
  modelwire providers
  modelwire providers --json | jq -r '.[] | select(.callable) | .id'
  modelwire providers --protocols ./my-manifests

A dialect says how a wire works, without an address: others extend it.`

export function providersCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('providers')
    .description('list the manifests: who can be called, what each can do, which key it needs')
  protocolsOption(command)
    .option('--json', 'print a list in JSON')
    .addHelpText('after', examples)
    .action(async (flags: SessionFlags & { json?: boolean }) => done(await providers(flags)))
}

async function providers(flags: SessionFlags & { json?: boolean }): Promise<Status> {
  const mw = await openRuntime(flags)
  try {
    const infos = mw.providers()
    if (flags.json === true) outJson(infos)
    else await show(infos)
    const broken = infos.filter(({ problem }) => problem !== undefined)
    for (const { id, problem } of broken) note(`${paintNote.red('error:')} ${safe(`${id}: ${problem ?? ''}`)}`)
    return broken.length > 0 ? 1 : 0
  } finally {
    await mw.close()
  }
}

async function show(infos: ProviderInfo[]): Promise<void> {
  const { table } = await import('./table.ts')
  const readable = infos.filter(({ problem }) => problem === undefined)
  const callable = readable.filter((info) => info.callable)
  const dialects = readable.filter((info) => !info.callable)
  const said = (info: ProviderInfo): string[] => [paint.bold(info.id), safe(info.name ?? ''), operationsOf(info)]
  const rows = callable.map((info) => said(info).concat(keyOf(info), info.wires.join(', '), fileOf(info)))
  out(table(['provider', 'name', 'operations', 'key', 'wires', 'file'], rows, ['file', 'wires', 'name']))
  if (dialects.length === 0) return
  const rest = dialects.map((info) => said(info).concat(fileOf(info)))
  out(`\n${table(['dialect', 'name', 'operations', 'file'], rest, ['file', 'name'])}`)
}

function fileOf({ file }: ProviderInfo): string {
  return paint.dim(file === undefined ? '' : near(file))
}

/** What one asks for first comes first. */
const order = ['chat', 'embed']

function operationsOf({ operations }: ProviderInfo): string {
  const first = order.filter((name) => operations.includes(name))
  return [...first, ...operations.filter((name) => !order.includes(name))].join(', ')
}

function keyOf({ keys, key }: ProviderInfo): string {
  if (key === 'none') return paint.dim('none needed')
  const name = keys[0] ?? ''
  if (key === 'set') return `${name} ${paint.green('set')}`
  return `${name} ${key === 'optional' ? paint.dim('optional') : paint.yellow('not set')}`
}
