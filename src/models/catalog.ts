import { homedir } from 'node:os'
import { join } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { createLayer, idPattern, type Layer } from '../manifest/layer.ts'
import { readModel } from '../manifest/model.ts'
import { format } from '../manifest/position.ts'
import { didYouMean } from '../manifest/suggest.ts'
import { atPath, bareId, describeBare, isPath, modelFiles } from './bare.ts'
import { type FolderOptions, isFolder, type ModelFolder, modelFolders } from './folders.ts'
import { blank, describe, type KnownModel, type LocalModel } from './model.ts'

/** What the folders of models hold, looked at anew with each question: files come and go. */
export interface ModelCatalog {
  list(): Promise<LocalModel[]>
  /** Throws `not_found` for what nobody knows, `manifest` for a broken one. */
  find(name: string): Promise<KnownModel>
}

interface Opened {
  folder: ModelFolder
  layer: Layer
}

export function createModelCatalog(options: FolderOptions): ModelCatalog {
  /** Upper folders first. */
  const open = (): Opened[] =>
    modelFolders(options)
      .filter(({ path }) => isFolder(path))
      .map((folder) => ({ folder, layer: createLayer(folder.path, false) }))

  const described = (file: string, { folder, layer }: Opened, quantization?: string): KnownModel => {
    layer.confine(file)
    const { data } = readModel(file, !folder.bundled)
    return describe(data, { file, folder, folders: modelFolders(options).filter(({ bundled }) => !bundled) }, quantization)
  }

  /** Every manifest that is not hidden by one of the same id further up. */
  function manifests(opened: readonly Opened[]): KnownModel[] {
    const seen = new Set<string>()
    const found: KnownModel[] = []
    for (const place of opened) {
      for (const file of place.layer.files()) {
        const id = place.layer.idOf(file) ?? file
        if (seen.has(id)) continue
        seen.add(id)
        try {
          const known = described(file, place)
          found.push(known, ...known.model.quantizations.map((name) => described(file, place, name)))
        } catch (error) {
          if (!(error instanceof ModelwireError)) throw error
          found.push(broken(id, file, error))
        }
      }
    }
    return found
  }

  async function bareModels(opened: readonly Opened[], taken: ReadonlySet<string>): Promise<LocalModel[]> {
    const found: LocalModel[] = []
    for (const { folder } of opened)
      for (const file of modelFiles(folder.path))
        if (!taken.has(file)) found.push((await describeBare(file, bareId(file, folder.path), folder)).model)
    return found
  }

  async function list(): Promise<LocalModel[]> {
    const opened = open()
    const known = manifests(opened)
    const taken = new Set(known.flatMap(({ pieces }) => pieces.map(({ file }) => file)))
    return [...known.map(({ model }) => model), ...(await bareModels(opened, taken))]
  }

  async function find(name: string): Promise<KnownModel> {
    if (isPath(name)) return atPath(name, options.home ?? homedir())
    const opened = open()
    const [id = '', quantization, ...rest] = name.split(':')
    if (idPattern.test(id) && rest.length === 0) {
      for (const place of opened) {
        const file = place.layer.find(id)
        if (file === undefined) continue
        const known = described(file, place)
        const { quantizations, quantization: own } = known.model
        if (quantization === undefined || quantization === own) return known
        if (quantizations.includes(quantization)) return described(file, place, quantization)
        throw new ModelwireError(
          'not_found',
          `the model "${id}" has no quantization "${quantization}"${didYouMean(quantization, quantizations)}`,
          { hint: `it has ${[...(own === undefined ? [] : [own]), ...quantizations].join(', ') || 'no others'}` },
        )
      }
    }
    for (const { folder } of opened) {
      const file = [name, `${name}.gguf`]
        .map((part) => join(folder.path, part))
        .find((path) => modelFiles(folder.path).includes(path))
      if (file !== undefined) return describeBare(file, bareId(file, folder.path), folder)
    }
    throw unknown(name, opened)
  }

  return { list, find }
}

function broken(id: string, file: string, error: ModelwireError): KnownModel {
  const where = error.where ?? format({ file, line: 1, column: 1 })
  return { model: { ...blank(id, file), where, problem: error.message }, pieces: [] }
}

function unknown(name: string, opened: readonly Opened[]): ModelwireError {
  const names = opened.flatMap(({ folder, layer }) => [
    ...layer.ids(),
    ...modelFiles(folder.path).map((file) => bareId(file, folder.path)),
  ])
  return new ModelwireError('not_found', `there is no model "${name}" on this machine${didYouMean(name, names)}`, {
    hint: 'run `modelwire models list` to see them all; a file is named by its path, such as ./model.gguf',
  })
}
