import type { Command } from 'commander'
import type { LocalModel, ModelInfo, Runtime } from '../index.ts'
import { askModels } from './ask.ts'
import { type DownloadFlags, pullToDisk } from './download.ts'
import { isModelwireError, type Status, tell } from './failure.ts'
import { findLocal, listLocal, showLocalList } from './local.ts'
import { pullFromEngine } from './pull.ts'
import { removeFromDisk, removeFromEngine, type RemoveFlags } from './remove.ts'
import { addressOption, interruptible, modelOf, openRuntime, protocolsOption, providerOf, type SessionFlags } from './session.ts'
import { type ShowFlags, showModel } from './show.ts'
import { note, out, outJson, paintNote, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

interface ModelsFlags extends SessionFlags {
  json?: boolean
}

const examples = `
Examples:
  modelwire models list                     those on this machine, and of all providers whose key is set
  modelwire models list provider --json
  modelwire models show provider/model      which manifest, what it can do, what is special about this model
  modelwire models show ./model.gguf        what the file says about itself, and whether it fits into memory
  modelwire models pull model               fetches the files that its manifest names; run again, it goes on
  modelwire models pull provider/model      has an engine fetch it
  modelwire models rm model                 deletes the files`

export function modelsCommand(program: Command, done: (status: Status) => void): void {
  const group = program
    .command('models')
    .description('list models, show what is known of one, fetch and delete them')
    .addHelpText('after', examples)
  const list = group
    .command('list', { isDefault: true })
    .description('the models on this machine, and those that providers name, asked now')
    .argument('[provider...]', 'whose models')
  options(list).action(async (names: string[], flags: ModelsFlags) => done(await listModels(names, flags)))
  const show = group
    .command('show')
    .description('what is known of one model')
    .argument('<model>', 'provider/model, the id of a model on this machine, or a file')
  options(show).action(async (model: string, flags: ShowFlags) => done(await showModel(model, flags)))
  const pull = group
    .command('pull')
    .description('fetch a model: its files to this machine, or an engine to its own store')
    .argument('<model>', 'the id of a model, or provider/model')
  options(pull)
    .option('--events', 'print each step as a line of JSON')
    .option('--unchecked', 'accept files whose manifest has no checksum')
    .action(async (model: string, flags: SessionFlags & DownloadFlags) => done(await pullModel(model, flags)))
  const remove = group
    .command('rm')
    .description('delete the files of a model')
    .argument('<model>', 'the id of a model, or provider/model')
  options(remove)
    .option('-y, --yes', "don't ask")
    .action(async (model: string, flags: SessionFlags & RemoveFlags) => done(await removeModel(model, flags)))
}

function options(command: Command): Command {
  return protocolsOption(addressOption(command)).option('--json', 'print JSON').addHelpText('after', examples)
}

// ---- list --------------------------------------------------------------------------------------------------------

async function listModels(names: string[], flags: ModelsFlags): Promise<Status> {
  if (flags.baseUrl !== undefined && names.length !== 1) throw new UsageError('--base-url goes with one provider')
  const mw = await openRuntime(flags, names[0])
  const { signal, stop } = interruptible()
  try {
    const local = await listLocal(mw, names)
    const asked = names.length > 0 ? names.filter((name) => isAsked(mw, name, local)) : readyProviders(mw)
    const listed = await Promise.all(asked.map((provider) => askModels(mw, provider, signal)))
    const statuses = listed.map(({ provider, error }) =>
      error === undefined ? 0 : tellFailure(provider, error, names.length === 0),
    )
    const models = listed.flatMap(({ provider, models: found }) => found.map((model) => ({ provider, ...model })))
    if (flags.json === true) outJson([...local, ...models])
    else await showLists(local, models, asked)
    return signal.aborted ? 130 : (statuses.find((status) => status !== 0) ?? 0)
  } finally {
    stop()
    await mw.close()
  }
}

/** Who only runs models of this machine has no list of its own to ask for. */
function isAsked(mw: Runtime, name: string, local: readonly LocalModel[]): boolean {
  const known = mw.providers().find(({ id }) => id === name)
  return known?.operations.includes('models') !== false || !local.some(({ provider }) => provider === name)
}

/** Who can be asked without being named: the key is there, or none is needed. */
function readyProviders(mw: Runtime): string[] {
  return mw
    .providers()
    .filter(({ callable, key, operations }) => callable && key !== 'missing' && operations.includes('models'))
    .map(({ id }) => id)
}

/** A server on this machine that isn't running is no failure, unless it was asked for by its name. */
function tellFailure(provider: string, error: unknown, unasked: boolean): Status {
  if (!unasked || !isModelwireError(error)) return tell(error)
  note(paintNote.dim(safe(`${provider}: ${error.message}`)))
  return 0
}

async function showLists(
  local: readonly LocalModel[],
  models: readonly ({ provider: string } & ModelInfo)[],
  asked: readonly string[],
): Promise<void> {
  if (local.length > 0) await showLocalList(local)
  if (local.length > 0 && models.length > 0) out('\n')
  if (models.length > 0) await showList(models)
  else if (asked.length === 0 && local.length === 0) {
    note('no provider has its key set; `modelwire providers` shows which variable each needs')
  }
}

async function showList(models: readonly ({ provider: string } & ModelInfo)[]): Promise<void> {
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

// ---- pull and rm -------------------------------------------------------------------------------------------------

async function pullModel(named: string, flags: SessionFlags & DownloadFlags): Promise<Status> {
  const mw = await openRuntime(flags, named.includes('/') ? providerOf(named) : undefined)
  try {
    const local = await findLocal(mw, named)
    if (local !== undefined) return await pullToDisk(mw, local, named, flags)
    return await pullFromEngine(mw, modelOf({ model: named }), flags)
  } finally {
    await mw.close()
  }
}

async function removeModel(named: string, flags: SessionFlags & RemoveFlags): Promise<Status> {
  const mw = await openRuntime(flags, named.includes('/') ? providerOf(named) : undefined)
  try {
    const local = await findLocal(mw, named)
    if (local !== undefined) return await removeFromDisk(mw, local, named, flags)
    return await removeFromEngine(mw, modelOf({ model: named }), flags)
  } finally {
    await mw.close()
  }
}
