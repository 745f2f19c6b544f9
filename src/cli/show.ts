import type { ModelInfo, Runtime } from '../index.ts'
import { askModels } from './ask.ts'
import { isModelwireError, type Status } from './failure.ts'
import { findLocal, localName, showLocal } from './local.ts'
import { interruptible, modelOf, openRuntime, providerOf, type SessionFlags } from './session.ts'
import { near, out, outJson, paint, safe } from './terminal.ts'

export interface ShowFlags extends SessionFlags {
  json?: boolean
}

/** What is known of one model: of its files, where it is one of this machine, else of its provider's manifest. */
export async function showModel(named: string, flags: ShowFlags): Promise<Status> {
  const mw = await openRuntime(flags, named.includes('/') ? providerOf(named) : undefined)
  const { signal, stop } = interruptible()
  try {
    const local = await findLocal(mw, named)
    if (local === undefined) return await showRemote(mw, modelOf({ model: named }), flags, signal)
    const known = await mw.models.inspect(localName(named))
    if (flags.json === true) outJson(known)
    else await showLocal(known)
    return 0
  } finally {
    stop()
    await mw.close()
  }
}

/** Milliseconds that the provider gets to tell more than the manifest knows. */
const patience = 5_000

async function showRemote(mw: Runtime, model: string, flags: ShowFlags, signal: AbortSignal): Promise<Status> {
  const provider = providerOf(model)
  const known = { ...(await knownOf(model, flags)), address: addressOf(mw, model) }
  const live = await askModels(mw, provider, AbortSignal.any([signal, AbortSignal.timeout(patience)]))
  const info = live.models.find(({ id }) => `${provider}/${id}` === model)
  const listed = info !== undefined ? 'yes' : live.error === undefined ? 'no' : 'unknown'
  if (flags.json === true) outJson({ ...known, listed, ...(info === undefined ? {} : { info }) })
  else await showKnown(known, listed, info, live.error)
  return signal.aborted ? 130 : 0
}

interface Known {
  model: string
  file: string | undefined
  operations: string[]
  wires: Record<string, string[]>
  /** Changes of the manifest that this model gets. */
  patches: { match: unknown; changes: string[]; where: string }[]
}

async function knownOf(model: string, flags: ShowFlags): Promise<Known> {
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
