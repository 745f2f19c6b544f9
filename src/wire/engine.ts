import type { Transport } from './call.ts'

/** A transport that works in this process: it holds models, which it loads when they are first asked for. */
export interface Engine {
  /** `call.url` says what to do, `call.body` holds the manifest's body; the reply's body yields frames. */
  call: Transport
  /** Never loads a model; loads the engine's own code when that is installed. */
  health(): Promise<EngineHealth>
  /** Ends what runs, and frees everything. */
  close(): Promise<void>
}

export interface EngineHealth {
  /** Whether the engine can work here. */
  available: boolean
  /** Why it can't. */
  error?: string
  /** What computes: `cpu`, `cuda`, … */
  backend?: string
  /** What it makes do without, and why. */
  note?: string
  devices: Device[]
  models: LoadedModel[]
}

export interface Device {
  name: string
  kind: 'cpu' | 'gpu'
  totalBytes?: number
  freeBytes?: number
}

/** A model in memory. */
export interface LoadedModel {
  /** As it was asked for. */
  id: string
  file: string
  state: 'loading' | 'ready' | 'leaving'
  ramBytes?: number
  vramBytes?: number
  gpuLayers?: number
  contextLength?: number
  /** Calls that use it now, and calls that wait for it. */
  active: number
  waiting: number
  loadedAt?: string
  usedAt?: string
}

/** A model's files on this machine, as whoever keeps them knows them. */
export interface LocatedModel {
  id: string
  /** Absolute. */
  file: string
  /** Others that the engine needs (`tokenizer`), absolute. */
  files: Readonly<Record<string, string>>
  /** What the model's own manifest says about how to load it. */
  config: Readonly<Record<string, unknown>>
}

/** Finds a model by the name that follows the provider's. Throws `not_found`, or `configuration` for one that isn't downloaded. */
export type Locate = (name: string) => Promise<LocatedModel>
