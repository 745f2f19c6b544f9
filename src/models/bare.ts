import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { partsOf, readGguf } from '../gguf/read.ts'
import { isFolder, type ModelFolder, untilde } from './folders.ts'
import { blank, type KnownModel, type LocalModel, type Piece } from './model.ts'

const mostFiles = 2_000
const deepest = 3
const partName = /-(\d{5})-of-\d{5}\.gguf$/

/** Model files of a folder and the folders in it, sorted; of a split model its first part. */
export function modelFiles(folder: string): string[] {
  if (!isFolder(folder)) return []
  const found: string[] = []
  collect(folder, realpathSync(folder), 0, found)
  return found
}

function collect(folder: string, root: string, depth: number, found: string[]): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    const kind = entry.name.startsWith('.') ? undefined : kindOf(entry, path, root)
    if (kind === 'folder' && depth < deepest) collect(path, root, depth + 1, found)
    else if (kind === 'file' && isModel(entry.name) && found.push(path) > mostFiles) {
      throw new ModelwireError('configuration', `expected at most ${mostFiles} models, got more in "${root}"`, {
        hint: 'name a folder in MODELWIRE_MODELS that holds nothing but models',
      })
    }
  }
}

function isModel(name: string): boolean {
  return name.endsWith('.gguf') && (partName.exec(name)?.[1] ?? '00001') === '00001'
}

/** As with manifests: a link that leads out of the folder isn't followed. */
function kindOf(entry: Dirent, path: string, root: string): 'file' | 'folder' | undefined {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return undefined
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !realpathSync(path).startsWith(root + sep)) return undefined
  return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : undefined
}

/** What a model without a manifest is called: its path in its folder, with `/`. */
export function bareId(file: string, folder: string): string {
  return relative(folder, file).replaceAll(sep, '/')
}

/** A model file without a manifest, as its own header describes it. One that is broken says so in `problem`. */
export async function describeBare(file: string, id: string, folder?: ModelFolder): Promise<KnownModel> {
  const pieces = partsOf(file).map((part): Piece => (folder === undefined ? { file: part } : { file: part, folder }))
  const model: LocalModel = {
    ...blank(id, file),
    present: pieces.every((piece) => existsSync(piece.file)),
    size: pieces.reduce((sum, piece) => sum + (statSync(piece.file, { throwIfNoEntry: false })?.size ?? 0), 0),
  }
  try {
    const header = await readGguf(file)
    if (header.name !== undefined) model.name = header.name
    if (header.quantization !== undefined) model.quantization = header.quantization.toLowerCase()
    // A template is what makes a conversation of messages; without one a model completes texts, or makes vectors of them.
    model.capabilities = header.chatTemplate === undefined ? [] : ['chat', 'tools', 'output']
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    model.problem = error.message
  }
  return { model, pieces }
}

/** Whether a name is a path rather than an id. */
export function isPath(name: string): boolean {
  return /^(?:\.{0,2}[/\\]|\.{1,2}$|~(?:\/|$)|[A-Za-z]:[\\/])/.test(name)
}

/**
 * The model at a path: a file, or a folder that holds one model. A folder without a GGUF is given as it is, for engines
 * whose models are folders.
 */
export async function atPath(name: string, home: string): Promise<KnownModel> {
  const path = resolve(untilde(name, home))
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) {
    throw new ModelwireError('not_found', `there is no model file ${path}`, {
      hint: 'check the path; `modelwire models list` shows the models in the folders of models',
    })
  }
  if (!stats.isDirectory()) {
    const file = firstPart(path)
    return describeBare(file, file)
  }
  const files = readdirSync(path)
    .filter(isModel)
    .toSorted()
    .map((file) => join(path, file))
  const [file, ...others] = files
  if (file === undefined) return asFolder(path)
  if (others.length === 0) return describeBare(file, file)
  throw new ModelwireError('configuration', `expected one model in ${path}, got ${files.length}`, {
    hint: `name one of them, such as ${basename(file)}`,
  })
}

/** Whoever names a later part of a split model means all of it. */
function firstPart(path: string): string {
  const first = path.replace(/-\d{5}(-of-\d{5}\.gguf)$/, '-00001$1')
  return existsSync(first) ? first : path
}

function asFolder(path: string): KnownModel {
  const graphs = [path, join(path, 'onnx')].filter(isFolder).flatMap((folder) => readdirSync(folder))
  if (!graphs.some((name) => name.endsWith('.onnx'))) {
    throw new ModelwireError('not_found', `there is no model in ${path}`, { hint: 'name a .gguf file, or a folder with one' })
  }
  return { model: { ...blank(path, path), present: true }, pieces: [{ file: path }] }
}
