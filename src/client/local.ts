import { ModelwireError } from '../core/error.ts'
import type { ModelInfo } from '../core/result.ts'
import type { Fit } from '../gguf/fit.ts'
import type { GgufHeader } from '../gguf/header.ts'
import type { LocalModel } from '../models/model.ts'
import type { createModelStore, ModelStore } from '../models/store.ts'
import type { LocatedModel } from '../wire/engine.ts'

export type { LocalModel } from '../models/model.ts'
export type { PullOptions } from '../models/store.ts'
export type { PullProgress } from '../models/meter.ts'

/** Models on this machine. */
export interface LocalModels extends ModelStore {
  /** What a model's file says about itself, and whether it fits into memory now; nothing is loaded. */
  inspect(name: string): Promise<ModelInspection>
}

export interface ModelInspection {
  model: LocalModel
  /** Absent where its file isn't there, or is no GGUF. */
  header?: Omit<GgufHeader, 'tensors' | 'metadata'>
  /** What it takes, the way it would be loaded now without a graphics card. */
  fit?: Fit & { sequences: number }
  /** Why it can't be loaded now. */
  refusal?: ModelwireError
}

/** The models of this machine, whose code loads when first asked for: who calls others over HTTP doesn't pay for it. */
export function openStore(options: Parameters<typeof createModelStore>[0]): ModelStore {
  let loading: Promise<ModelStore> | undefined
  const make = async (): Promise<ModelStore> => (await import('../models/store.ts')).createModelStore(options)
  const store = (): Promise<ModelStore> => (loading ??= make())
  return {
    list: async () => (await store()).list(),
    find: async (name) => (await store()).find(name),
    pull: async (name, how) => (await store()).pull(name, how),
    remove: async (name) => (await store()).remove(name),
  }
}

/** For engines: where a model's files are. Throws `not_found`, or `configuration` for one that has to be pulled first. */
export async function locateModel(store: ModelStore, name: string): Promise<LocatedModel> {
  const { id, file, files, config, present, download } = await store.find(name)
  if (present) return { id, file, files, config }
  throw new ModelwireError('configuration', `the files of the model "${id}" aren't on this machine: there is no ${file}`, {
    hint: download === undefined ? 'put the file there' : `run \`modelwire models pull ${id}\``,
  })
}

/** Models on this machine as providers list theirs; `provider/id` where no provider is named. */
export async function listLocal(store: ModelStore, provider?: string): Promise<ModelInfo[]> {
  const models = (await store.list()).filter((model) => provider === undefined || model.provider === provider)
  return models.map(({ id, name, provider: its, config }) => {
    const info: ModelInfo = { id: provider === undefined ? `${its}/${id}` : id }
    if (name !== undefined) info.name = name
    if (typeof config.contextLength === 'number') info.contextLength = config.contextLength
    return info
  })
}

const usualSequences = 4

export function createLocalModels(store: ModelStore): LocalModels {
  async function inspect(name: string): Promise<ModelInspection> {
    const model = await store.find(name)
    if (!model.present || !model.file.endsWith('.gguf')) return { model }
    const [{ fit }, { readGguf }] = await Promise.all([import('../gguf/fit.ts'), import('../gguf/read.ts')])
    const { tensors, metadata, ...header } = await readGguf(model.file)
    return { model, header, ...outlook({ ...header, tensors, metadata }, model.config, fit) }
  }
  return { ...store, inspect }
}

function outlook(
  header: GgufHeader,
  config: Readonly<Record<string, unknown>>,
  fit: typeof import('../gguf/fit.ts').fit,
): Pick<ModelInspection, 'fit' | 'refusal'> {
  const sequences = typeof config.sequences === 'number' ? config.sequences : usualSequences
  const contextLength = typeof config.contextLength === 'number' ? { contextLength: config.contextLength } : {}
  const flashAttention = config.flashAttention === false ? false : undefined
  try {
    const room = { ramFree: process.availableMemory(), vramFree: 0, sequences, flashAttention, ...contextLength }
    return { fit: { ...fit(header, room), sequences } }
  } catch (error) {
    if (error instanceof ModelwireError) return { refusal: error }
    throw error
  }
}
