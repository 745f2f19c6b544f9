import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { idPattern } from './layer.ts'
import { parseManifest, readText, type Source } from './load.ts'
import { dump, restore, type Snapshot } from './snapshot.ts'

/**
 * What the build works out of the bundled manifests, in a folder of dist, so that using one needs no YAML parser (20 ms to
 * load) and no extending: `texts/` has the files as they were, `written/` what they say, `resolved/` what is to be used, for
 * each manifest and each of its wires. Nothing of it is used but for files that still have the very same text.
 */
export const builtManifests = fileURLToPath(new URL('../manifests', import.meta.url))

/** A manifest with all that it extends. */
interface Resolved extends Snapshot {
  /** The manifests that it rests on. */
  grounds: { id: string; file: string }[]
}

/** What of a catalog the build writes down. */
export interface Resolving {
  ids(): string[]
  find(id: string): Source | undefined
  resolve(id: string): Record<string, unknown>
  resolveWire(id: string, name: string): Record<string, unknown>
  grounds(id: string, wire?: string): Source[]
}

/** Where to look for what was built. */
export interface Place {
  /** As `builtManifests`. */
  folder: string
  /** Where the manifests lie that it was made of. */
  root: string
  /** Whether nobody has put a manifest of this id over these. */
  isBare(id: string): boolean
}

const wirePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** Writes all that there is to know of the manifests that lie in `root`. */
export function writeBuilt(folder: string, root: string, catalog: Resolving): void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const within = (file: string): string => relative(root, file).replaceAll(sep, '/')
  const resolved = (id: string, wire?: string): string => {
    const { data, files, places } = dump(wire === undefined ? catalog.resolve(id) : catalog.resolveWire(id, wire))
    const grounds = catalog.grounds(id, wire).map((source) => ({ id: String(source.data['id']), file: within(source.file) }))
    return JSON.stringify({ grounds, data, files: files.map(within), places } satisfies Resolved)
  }
  for (const id of catalog.ids()) {
    const source = catalog.find(id)
    if (source === undefined) continue
    write(`texts/${id}.yaml`, source.text)
    write(`written/${id}.json`, JSON.stringify({ ...dump(source.data), files: [within(source.file)] } satisfies Snapshot))
    write(`resolved/${id}.json`, resolved(id))
    for (const wire of Object.keys(catalog.resolve(id)['wires'] ?? {})) write(`resolved/${id}/${wire}.json`, resolved(id, wire))
  }
}

/** Reads the manifest in `file`: as the build has read it where its text is the same, else by parsing it. */
export function readSource(file: string, id: string, folder = builtManifests): Source {
  const text = readText(file)
  const [copy, path] = [join(folder, 'texts', `${id}.yaml`), join(folder, 'written', `${id}.json`)]
  if (!existsSync(copy) || readFileSync(copy, 'utf8') !== text) return parseManifest(text, file)
  return { file, text, data: restore({ ...read<Snapshot>(path), files: [file] }) }
}

/** The resolved manifest that the build made; nothing where one of the files that it rests on isn't what it was. */
export function readResolved(id: string, wire: string | undefined, place: Place): Record<string, unknown> | undefined {
  if (!idPattern.test(id) || (wire !== undefined && !wirePattern.test(wire))) return undefined // they become a path
  const path = `${place.folder}/resolved/${id}${wire === undefined ? '' : `/${wire}`}.json`
  if (!existsSync(path)) return undefined
  const { grounds, ...snapshot } = read<Resolved>(path)
  const isSame = (ground: Resolved['grounds'][number]): boolean =>
    place.isBare(ground.id) && haveOneText(`${place.root}/${ground.file}`, `${place.folder}/texts/${ground.id}.yaml`)
  return grounds.every(isSame) ? restore({ ...snapshot, files: snapshot.files.map((file) => join(place.root, file)) }) : undefined
}

function haveOneText(file: string, copy: string): boolean {
  try {
    return readFileSync(file, 'utf8') === readFileSync(copy, 'utf8') // Node reads texts faster than bytes
  } catch {
    return false // who reads it the long way is told why that can't be done
  }
}

/** Our own build wrote it. */
function read<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T
}
