import { statSync } from 'node:fs'
import type { LoadedModel, LocatedModel } from '../../wire/engine.ts'
import type { Resident } from './resident.ts'

/** A model on its way into memory, in it, or on its way out. */
export interface Entry {
  located: LocatedModel
  version: string
  ready: Promise<Resident>
  resident: Resident | undefined
  /** Ends the load when nobody waits for it any more. */
  loading: AbortController
  state: LoadedModel['state']
  users: number
  /** Loaded by wish: stays until it is unloaded by wish, unless its memory is needed. */
  kept: boolean
  idle: number
  timer: NodeJS.Timeout | undefined
  loadedAt: number
  usedAt: number
  gone: PromiseWithResolvers<void>
}

/** What `health()` says of it. */
export function described({ located, resident, state, users, loadedAt, usedAt }: Entry): LoadedModel {
  const placement = resident?.placement
  const load = resident?.load()
  return {
    id: located.id,
    file: located.file,
    state,
    ...(placement === undefined
      ? {}
      : {
          ramBytes: placement.ramBytes,
          vramBytes: placement.vramBytes,
          gpuLayers: placement.gpuLayers,
          contextLength: placement.contextLength,
        }),
    // A call for several answers is one user of several sequences.
    active: load === undefined ? 0 : Math.max(load.active, users - load.waiting),
    waiting: load?.waiting ?? users,
    ...(loadedAt === 0 ? {} : { loadedAt: new Date(loadedAt).toISOString() }),
    usedAt: new Date(usedAt).toISOString(),
  }
}

/** Another one after the file was replaced: the next call then loads the new model, and calls in flight finish on the old. */
export function versionOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.mtimeMs}:${stats.size}:${stats.ino}`
}
