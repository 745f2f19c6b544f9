import type { LocalModel, ModelInspection, Runtime } from '../index.ts'
import { bytesText } from './bytes.ts'
import { isModelwireError } from './failure.ts'
import { providerOf } from './session.ts'
import { near, out, paint, safe } from './terminal.ts'

/** How a model on this machine is called. */
export function callName({ provider, id }: LocalModel): string {
  return `${provider}/${id}`
}

/**
 * The model on this machine that is meant: a path, an id, or `provider/id` of one that is known here. Nothing for a model
 * of a provider elsewhere. Throws `not_found`, and what is wrong with its manifest.
 */
export async function findLocal(mw: Runtime, named: string): Promise<LocalModel | undefined> {
  const name = localName(named)
  try {
    const model = await mw.models.find(name)
    return name === named || isPath(name) || model.provider === providerOf(named) ? model : undefined
  } catch (error) {
    if (name === named || !isModelwireError(error) || error.kind !== 'not_found' || runsHere(mw, providerOf(named))) throw error
    return undefined
  }
}

/** What the model is called without its provider. */
export function localName(named: string): string {
  return isPath(named) || !named.includes('/') ? named : named.slice(providerOf(named).length + 1)
}

function isPath(name: string): boolean {
  return /^(?:\.{0,2}[/\\]|~[/\\]|[A-Za-z]:[\\/])/.test(name)
}

function runsHere(mw: Runtime, provider: string): boolean {
  return mw.providers().some(({ id, transport }) => id === provider && transport !== undefined)
}

/** Models on this machine, those of some providers or all. */
export async function listLocal(mw: Runtime, providers: readonly string[]): Promise<LocalModel[]> {
  const models = await mw.models.list()
  return providers.length === 0 ? models : models.filter(({ provider }) => providers.includes(provider))
}

export async function showLocalList(models: readonly LocalModel[]): Promise<void> {
  const { table } = await import('./table.ts')
  const rows = models.map((model) => [
    safe(callName(model)),
    safe(model.name ?? ''),
    model.size === undefined ? '' : bytesText(model.size),
    safe(model.quantization ?? ''),
    stateOf(model),
  ])
  out(table(['model', 'name', 'size', 'packing', 'on this machine'], rows, ['name', 'packing']))
}

function stateOf({ present, problem, download }: LocalModel): string {
  if (problem !== undefined) return `${paint.red('broken')}: ${safe(problem)}`
  if (present) return paint.green('present')
  return download === undefined ? 'missing' : 'not pulled'
}

// ---- one model ---------------------------------------------------------------------------------------------------

/** Everything that is known of a model without loading it, and whether it would fit into memory now. */
export async function showLocal({ model, header, fit, refusal }: ModelInspection): Promise<void> {
  const { table } = await import('./table.ts')
  const row = (title: string, text: string | undefined): [string, string][] =>
    text === undefined || text === '' ? [] : [[title, safe(text)]]
  const rows: [string, string][] = [
    ['model', paint.bold(safe(callName(model)))],
    ...row('name', model.name ?? header?.name),
    ...row('manifest', model.where === undefined ? undefined : near(model.where)),
    ['file', `${safe(near(model.file))}${model.present ? '' : `, ${stateOf(model)}`}`],
    ...Object.entries(model.files).flatMap(([name, file]) => row(name, near(file))),
    ...row('size', model.size === undefined ? undefined : bytesText(model.size)),
    ...row('packing', model.quantization ?? header?.quantization),
    ...row('others', model.quantizations.map((name) => `${baseOf(model)}:${name}`).join(', ')),
    ...row('can', model.capabilities.join(', ')),
    ...row('should have', requirements(model)),
    ...row('loaded with', settings(model.config)),
    ...row('problem', model.problem),
    ...(header === undefined ? [] : row('architecture', architecture(header))),
    ...row('trained for', header?.contextLength === undefined ? undefined : `${header.contextLength} tokens`),
    ...row('needs', fit === undefined ? undefined : needs(fit)),
    ...row('fits here', fit === undefined ? refusal && `no: ${refusal.message}` : 'yes'),
    ...row('hint', refusal?.hint),
    ...row('get it', model.present || model.download === undefined ? undefined : `modelwire models pull ${model.id}`),
  ]
  out(table([], rows))
}

function baseOf({ id, quantization }: LocalModel): string {
  return quantization !== undefined && id.endsWith(`:${quantization}`) ? id.slice(0, -quantization.length - 1) : id
}

function requirements({ requirements: { ramGb, vramGb, diskGb } }: LocalModel): string {
  const parts = [
    ...(ramGb === undefined ? [] : [`${ramGb} GB of memory`]),
    ...(vramGb === undefined ? [] : [`${vramGb} GB on a graphics card`]),
    ...(diskGb === undefined ? [] : [`${diskGb} GB of disk`]),
  ]
  return parts.join(', ')
}

function settings(config: Readonly<Record<string, unknown>>): string {
  return Object.entries(config)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

function architecture(header: NonNullable<ModelInspection['header']>): string {
  const { embeddingLength, headCount, vocabSize } = header
  const parts = [
    header.architecture,
    `${header.blockCount} layers`,
    ...(embeddingLength === undefined ? [] : [`width ${embeddingLength}`]),
    ...(headCount === undefined ? [] : [`${headCount} heads`]),
    ...(vocabSize === undefined ? [] : [`${vocabSize} tokens known`]),
  ]
  return parts.join(', ')
}

function needs({ ramBytes, vramBytes, contextLength, sequences }: NonNullable<ModelInspection['fit']>): string {
  const card = vramBytes > 0 ? ` and ${bytesText(vramBytes)} on the graphics card` : ''
  const conversations = sequences === 1 ? 'one conversation' : `${sequences} conversations`
  return `${bytesText(ramBytes)} of memory${card}, for ${conversations} of ${contextLength} tokens`
}
