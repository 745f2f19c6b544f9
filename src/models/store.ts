import { existsSync } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { partsOf } from '../gguf/read.ts'
import type { Transport } from '../wire/call.ts'
import { createModelCatalog } from './catalog.ts'
import { type Download, download } from './download.ts'
import { confine, type FolderOptions } from './folders.ts'
import { takeLock } from './lock.ts'
import type { PullProgress } from './meter.ts'
import type { KnownModel, LocalModel, Piece } from './model.ts'
import { leftovers } from './part.ts'

/** The models of this machine: their manifests and their files. */
export interface ModelStore {
  /** Every manifest of a model, each of its quantizations, and every file without a manifest. */
  list(): Promise<LocalModel[]>
  /** By id, `id:quantization` or path. Throws `not_found`; one that isn't downloaded has `present: false`. */
  find(name: string): Promise<LocalModel>
  /** Fetches what is missing of a model. Ending it early keeps what has come, for the next time. */
  pull(name: string, options?: PullOptions): Promise<LocalModel>
  /** Deletes the files of a model, and what pulls have left of it; its manifest stays. Gives the files. */
  remove(name: string): Promise<string[]>
}

export interface PullOptions {
  signal?: AbortSignal
  /** Hears at most ten times a second how far it is. */
  onProgress?: (progress: PullProgress) => void
  /** Accepts files whose manifest has no checksum. */
  unchecked?: boolean
}

export function createModelStore(options: FolderOptions & { http: Transport }): ModelStore {
  const catalog = createModelCatalog(options)

  async function pull(name: string, how: PullOptions = {}): Promise<LocalModel> {
    const known = await catalog.find(name)
    for (const { file, folder, source } of missing(known, how.unchecked === true)) {
      await mkdir(dirname(file), { recursive: true })
      confine(file, folder.path)
      await download(source, file, { http: options.http, ...how })
    }
    return (await catalog.find(name)).model
  }

  async function remove(name: string): Promise<string[]> {
    const known = await catalog.find(name)
    const { id } = known.model
    const kept = await stillUsed(id)
    const removed: string[] = []
    for (const { file, folder } of known.pieces.filter((piece) => !kept.has(piece.file)).map((piece) => inFolder(id, piece))) {
      for (const part of partsOf(file)) removed.push(...(await removeFile(part, folder.path)))
    }
    if (removed.length > 0) return removed
    throw new ModelwireError('not_found', `there is nothing of the model "${id}" to remove`, {
      hint: '`modelwire models list` shows which models are on this machine',
    })
  }

  /** Files of other models that are there: a tokenizer that quantizations share stays as long as one of them does. */
  async function stillUsed(id: string): Promise<Set<string>> {
    const others = (await catalog.list()).filter((other) => other.id !== id && other.present)
    return new Set(others.flatMap(({ file, files }) => [file].concat(Object.values(files))))
  }

  return { list: catalog.list, find: async (name) => (await catalog.find(name)).model, pull, remove }
}

type Placed = Piece & { folder: NonNullable<Piece['folder']> }

/** What has to be fetched, once all of it is known to be possible. */
function missing({ model, pieces }: KnownModel, unchecked: boolean): (Placed & { source: Download })[] {
  const made: (Placed & { source: Download })[] = []
  for (const piece of pieces.filter(({ file }) => !existsSync(file))) {
    const { file, size, download: from } = piece
    if (from === undefined) {
      throw new ModelwireError('configuration', `nothing says where to fetch ${basename(file)} of the model "${model.id}"`, {
        hint: `add \`download: { url, sha256 }\` to its manifest, or put the file at ${file}`,
      })
    }
    if (from.sha256 === undefined && !unchecked) {
      throw new ModelwireError('configuration', `the manifest of "${model.id}" has no checksum of ${basename(file)}`, {
        hint: 'add `sha256` to its `download`, or pull it unchecked (`--unchecked`)',
      })
    }
    made.push({ ...inFolder(model.id, piece), source: { ...from, ...(size === undefined ? {} : { size }) } })
  }
  return made
}

/** Throws for what isn't ours to write or to delete. */
function inFolder(id: string, piece: Piece): Placed {
  const { file, folder } = piece
  if (folder === undefined) {
    throw new ModelwireError('configuration', `${file} of the model "${id}" lies outside the folders of models`, {
      hint: 'such files are only read: do it by hand, or name its folder in MODELWIRE_MODELS',
    })
  }
  if (folder.bundled) {
    throw new ModelwireError('configuration', `the model "${id}" belongs to the package, which is only read`, {
      hint: 'uninstall the package to be rid of it',
    })
  }
  return { ...piece, folder }
}

/** Deletes a file and what pulls left beside it, not while one is under way. Gives those that were there. */
async function removeFile(file: string, folder: string): Promise<string[]> {
  if (!existsSync(dirname(file))) return []
  confine(file, folder)
  const release = await takeLock(`${file}.lock`, file)
  const removed: string[] = []
  try {
    for (const path of [file, ...leftovers(file)]) {
      if ((await stat(path).catch(() => undefined))?.isFile() !== true) continue
      await rm(path)
      removed.push(path)
    }
  } finally {
    await release()
  }
  return removed
}
