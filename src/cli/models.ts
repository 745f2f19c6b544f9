import type { Command } from 'commander'
import type { ModelInfo, Runtime } from '../index.ts'
import { isModelwireError, type Status, tell } from './failure.ts'
import { addressOption, interruptible, modelOf, openRuntime, protocolsOption, providerOf, type SessionFlags } from './session.ts'
import { near, note, out, outJson, paint, paintNote, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

interface ModelsFlags extends SessionFlags {
  json?: boolean
}

const examples = `
Examples:
  modelwire models list                     of all providers whose key is set
  modelwire models list provider --json
  modelwire models show provider/model      which manifest, what it can do, what is special about this model`

export function modelsCommand(program: Command, done: (status: Status) => void): void {
  const group = program.command('models').description('list models, or show what is known of one').addHelpText('after', examples)
  const list = group
    .command('list', { isDefault: true })
    .description('the models that providers name, asked now')
    .argument('[provider...]', 'the providers to ask')
  options(list).action(async (names: string[], flags: ModelsFlags) => done(await listModels(names, flags)))
  const show = group.command('show').description('what is known of one model').argument('<provider/model>')
  options(show).action(async (model: string, flags: ModelsFlags) => done(await showModel(model, flags)))
}

function options(command: Command): Command {
  return protocolsOption(addressOption(command)).option('--json', 'print JSON').addHelpText('after', examples)
}

// ---- list --------------------------------------------------------------------------------------------------------

interface Listed {
  provider: string
  models: ModelInfo[]
  error?: unknown
}

async function listModels(names: string[], flags: ModelsFlags): Promise<Status> {
  if (flags.baseUrl !== undefined && names.length !== 1) throw new UsageError('--base-url goes with one provider')
  const mw = await openRuntime(flags, names[0])
  const { signal, stop } = interruptible()
  try {
    const asked = names.length > 0 ? names : readyProviders(mw)
    const listed = await Promise.all(asked.map((provider) => ask(mw, provider, signal)))
    const statuses = listed.map(({ provider, error }) =>
      error === undefined ? 0 : tellFailure(provider, error, names.length === 0),
    )
    const models = listed.flatMap(({ provider, models: found }) => found.map((model) => ({ provider, ...model })))
    if (flags.json === true) outJson(models)
    else if (models.length > 0) await showList(models)
    else if (asked.length === 0) note('no provider has its key set; `modelwire providers` shows which variable each needs')
    return signal.aborted ? 130 : (statuses.find((status) => status !== 0) ?? 0)
  } finally {
    stop()
    await mw.close()
  }
}

/** Who can be asked without being named: the key is there, or none is needed. */
function readyProviders(mw: Runtime): string[] {
  return mw
    .providers()
    .filter(({ callable, key, operations }) => callable && key !== 'missing' && operations.includes('models'))
    .map(({ id }) => id)
}

async function ask(mw: Runtime, provider: string, signal: AbortSignal): Promise<Listed> {
  try {
    return { provider, models: await mw.listModels({ provider, signal }) }
  } catch (error) {
    return { provider, models: [], error }
  }
}

/** A server on this machine that isn't running is no failure, unless it was asked for by its name. */
function tellFailure(provider: string, error: unknown, unasked: boolean): Status {
  if (!unasked || !isModelwireError(error)) return tell(error)
  note(paintNote.dim(safe(`${provider}: ${error.message}`)))
  return 0
}

async function showList(models: ({ provider: string } & ModelInfo)[]): Promise<void> {
  const { table } = await import('./table.ts')
  const rows = models.map(({ provider, id, name, contextLength, maxOutputTokens }) => [
    safe(`${provider}/${id}`),
    safe(name === undefined || name === id ? '' : name),
    contextLength ?? '',
    maxOutputTokens ?? '',
  ])
  const used = ['model', 'name', 'context', 'longest answer']
    .map((title, column) => ({ title, column }))
    .filter(({ column }) => rows.some((row) => row[column] !== ''))
  out(
    table(
      used.map(({ title }) => title),
      rows.map((row) => used.map(({ column }) => row[column] ?? '')),
      ['name', 'longest answer', 'context'],
    ),
  )
}

// ---- show --------------------------------------------------------------------------------------------------------

/** Milliseconds that the provider gets to tell more than the manifest knows. */
const patience = 5_000

async function showModel(named: string, flags: ModelsFlags): Promise<Status> {
  const model = modelOf({ model: named })
  const provider = providerOf(model)
  const mw = await openRuntime(flags, provider)
  const { signal, stop } = interruptible()
  try {
    const known = { ...(await knownOf(model, flags)), address: addressOf(mw, model) }
    const live = await ask(mw, provider, AbortSignal.any([signal, AbortSignal.timeout(patience)]))
    const info = live.models.find(({ id }) => `${provider}/${id}` === model)
    const listed = info !== undefined ? 'yes' : live.error === undefined ? 'no' : 'unknown'
    if (flags.json === true) outJson({ ...known, listed, ...(info === undefined ? {} : { info }) })
    else await showKnown(known, listed, info, live.error)
    return signal.aborted ? 130 : 0
  } finally {
    stop()
    await mw.close()
  }
}

interface Known {
  model: string
  file: string | undefined
  operations: string[]
  wires: Record<string, string[]>
  /** Changes of the manifest that this model gets. */
  patches: { match: unknown; changes: string[]; where: string }[]
}

async function knownOf(model: string, flags: ModelsFlags): Promise<Known> {
  const { bundledProtocols, createCatalog } = await import('../manifest/catalog.ts')
  const { matchingPatches } = await import('../manifest/compile.ts')
  const { format, positionOf } = await import('../manifest/position.ts')
  const catalog = createCatalog({ paths: [bundledProtocols, ...(flags.protocols ?? [])], env: process.env })
  const provider = providerOf(model)
  const manifest = catalog.resolve(provider)
  const list = Array.isArray(manifest.models) ? (manifest.models as Record<string, unknown>[]) : [] // maps, by the schema
  const patches = matchingPatches(manifest, model.slice(provider.length + 1)).map((index) => {
    const { match, ...changes } = list[index] ?? {}
    return { match, changes: Object.keys(changes), where: format(positionOf(list, index)) }
  })
  const wires = Object.keys((manifest.wires ?? {}) as object)
  return {
    model,
    file: catalog.file(provider),
    operations: operationsOf(manifest),
    wires: Object.fromEntries(wires.map((wire) => [wire, operationsOf(catalog.resolveWire(provider, wire))])),
    patches,
  }
}

/** Where a chat would go. */
function addressOf(mw: Runtime, model: string): string | undefined {
  try {
    return mw.explain({ model, prompt: 'Hello' }).url
  } catch (error) {
    if (isModelwireError(error)) return undefined // no chat, or no address
    throw error
  }
}

function operationsOf(manifest: Record<string, unknown>): string[] {
  return Object.keys((manifest.operations ?? {}) as object)
}

async function showKnown(
  known: Known & { address: string | undefined },
  listed: string,
  info: ModelInfo | undefined,
  error: unknown,
): Promise<void> {
  const { table } = await import('./table.ts')
  const rows: [string, string][] = [
    ['model', paint.bold(safe(known.model))],
    ['manifest', known.file === undefined ? '' : near(known.file)],
    ['address', safe(known.address ?? 'not known: a dialect has none, or a variable of it is unset')],
    ['operations', known.operations.join(', ')],
    ...Object.entries(known.wires).map(([wire, operations]): [string, string] => [`wire ${wire}`, operations.join(', ')]),
    ...known.patches.map(({ changes, where }): [string, string] => ['special', `${changes.join(', ')} ${paint.dim(near(where))}`]),
    ['listed', listed === 'unknown' ? `unknown${isModelwireError(error) ? `: ${safe(error.message)}` : ''}` : listed],
    ...(info?.name === undefined ? [] : [['name', safe(info.name)] as [string, string]]),
    ...(info?.contextLength === undefined ? [] : [['context', `${info.contextLength} tokens`] as [string, string]]),
    ...(info?.maxOutputTokens === undefined ? [] : [['longest answer', `${info.maxOutputTokens} tokens`] as [string, string]]),
  ]
  out(table([], rows))
}
