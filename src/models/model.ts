import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { partsOf } from '../gguf/read.ts'
import { type ModelFile, type ModelManifest, usualProvider } from '../manifest/model.ts'
import { format, positionOf } from '../manifest/position.ts'
import { confine, isInside, type ModelFolder } from './folders.ts'

/** A model on this machine, or one that can be fetched to it. */
export interface LocalModel {
  /** What it is called by, behind its provider: an id, `id:quantization`, or the path of its file. */
  id: string
  name?: string
  /** The provider that runs it. */
  provider: string
  /** Absolute; where it would lie if it isn't there. */
  file: string
  /** Further files that its engine wants, by the engine's names for them; absolute. */
  files: Record<string, string>
  /** Whether all its files are there. */
  present: boolean
  /** Bytes: of the files that are there, else as its manifest says. */
  size?: number
  capabilities: string[]
  /** Gigabytes that the machine should have. */
  requirements: { ramGb?: number; vramGb?: number; diskGb?: number }
  /** How its engine should load it. */
  config: Record<string, unknown>
  /** How it is packed. */
  quantization?: string
  /** Other packings that its manifest has, each called as `id:name`. */
  quantizations: string[]
  /** Where its file can be fetched. */
  download?: { url: string; sha256?: string }
  /** It is the one to use when none is named. */
  default?: true
  /** `file:line:column` of its manifest. */
  where?: string
  /** Why it can't be used, where its manifest or its file is broken. */
  problem?: string
}

/** One file of a model: where it lies, or would. */
export interface Piece {
  file: string
  /** The folder that it must not leave when it is written or removed; absent where it lies outside of all. */
  folder?: ModelFolder
  size?: number
  download?: { url: string; sha256?: string }
}

/** A model with all that is known about its files; the first piece is the model itself. */
export interface KnownModel {
  model: LocalModel
  pieces: Piece[]
}

/** A model of which nothing is known but where it lies. */
export function blank(id: string, file: string): LocalModel {
  return {
    id,
    provider: usualProvider(),
    file,
    files: {},
    present: false,
    capabilities: [],
    requirements: {},
    config: {},
    quantizations: [],
  }
}

/** The model that a manifest describes, in one of its quantizations. */
export function describe(
  manifest: ModelManifest,
  at: { file: string; folder: ModelFolder; folders: readonly ModelFolder[] },
  quantization?: string,
): KnownModel {
  const others = manifest.quantizations ?? {}
  const chosen: ModelFile | undefined = quantization === undefined ? manifest : others[quantization]
  if (chosen === undefined) throw new Error(`no quantization ${quantization} in ${at.file}`) // whoever asks has looked
  const further = Object.entries(manifest.files ?? {}).map(
    ([name, file]) => [name, pieceOf(typeof file === 'string' ? { file } : file, at)] as const,
  )
  const main = pieceOf(chosen, at)
  const pieces = [main, ...further.map(([, piece]) => piece)]
  const { present, size } = lookAt(pieces)
  const packed = quantization ?? manifest.quantization
  const model: LocalModel = {
    id: quantization === undefined ? manifest.id : `${manifest.id}:${quantization}`,
    ...(manifest.name === undefined ? {} : { name: manifest.name }),
    provider: manifest.provider ?? usualProvider(),
    ...(manifest.default === true && quantization === undefined ? { default: true as const } : {}),
    file: main.file,
    files: Object.fromEntries(further.map(([name, { file }]) => [name, file])),
    present,
    ...(size === undefined ? {} : { size }),
    capabilities: [...(manifest.capabilities ?? [])],
    requirements: { ...manifest.requirements },
    config: { ...manifest.config },
    ...(packed === undefined ? {} : { quantization: packed }),
    quantizations: Object.keys(others),
    ...(main.download === undefined ? {} : { download: main.download }),
    where: format(positionOf(manifest, 'id') ?? { file: at.file, line: 1, column: 1 }),
  }
  return { model, pieces }
}

/**
 * A file lies beside its manifest, or in a folder of models. What isn't there yet would lie beside the manifest if that is
 * the user's, in the user's first folder if the manifest came with the package. A path that leaves its folder (`../`) is
 * read, and never written.
 */
function pieceOf(
  { file, size, download }: ModelFile,
  at: { file: string; folder: ModelFolder; folders: readonly ModelFolder[] },
): Piece {
  const more = { ...(size === undefined ? {} : { size }), ...(download === undefined ? {} : { download }) }
  const beside = join(dirname(at.file), file)
  if (!isInside(beside, at.folder.path)) return { file: beside, ...more }
  const places = [
    ...(at.folder.bundled ? [] : [{ file: beside, folder: at.folder }]),
    ...at.folders
      .map((folder) => ({ file: join(folder.path, file), folder }))
      .filter((place) => isInside(place.file, place.folder.path)),
    { file: beside, folder: at.folder },
  ]
  const place = places.find((candidate) => existsSync(candidate.file)) ?? places[0]
  if (place === undefined) return { file: beside, ...more }
  confine(place.file, place.folder.path)
  return { ...place, ...more }
}

/** Whether all are there, and how many bytes they have: counted where they are, as declared where not. */
function lookAt(pieces: readonly Piece[]): { present: boolean; size?: number } {
  let present = true
  let size: number | undefined = 0
  for (const piece of pieces) {
    const found = partsOf(piece.file).map((file) => statSync(file, { throwIfNoEntry: false }))
    const whole = found.every((stats) => stats !== undefined)
    present &&= whole
    const bytes = whole ? found.reduce((sum, stats) => sum + (stats?.size ?? 0), 0) : piece.size
    size = size === undefined || bytes === undefined ? undefined : size + bytes
  }
  return { present, ...(size === undefined ? {} : { size }) }
}
