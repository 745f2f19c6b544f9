import { readdirSync, realpathSync, statSync, type Dirent } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { readText } from './load.ts'
import { mistake } from './mistake.ts'

/** One folder of manifests, or one file. Nothing is read before it is asked. */
export interface Layer {
  /** The file that holds this manifest. */
  find(id: string): string | undefined
  /** All manifests that the files say they hold, broken ones too. */
  ids(): string[]
  /** All files, whatever they hold. */
  files(): string[]
  /** The id that a file says it has. */
  idOf(file: string): string | undefined
  /** Throws when the file, by a symbolic link, lies outside the folder. */
  confine(file: string): void
  /** Forgets what the folder holds. */
  refresh(): void
}

/** What the id of a manifest looks like: never a path, never an address. */
export const idPattern = /^[a-z0-9][a-z0-9._-]*$/

const mostFiles = 2000
const deepest = 3
/** Other kinds of files live there. */
const skipped = new Set(['models', 'tasks', 'node_modules'])

interface Listing {
  root: string
  files: string[]
  /** Each folder that was read, and when it last changed. */
  folders: Map<string, number>
}

/** With `watch`, folders and files are looked at again when they changed, once they have come to rest. */
export function createLayer(path: string, watch: boolean): Layer {
  let listing: Listing | undefined
  const ids = new Map<string, { id: string | undefined; version: string | undefined }>()
  const looked = new Set<string>()

  function list(): Listing {
    if (!listing || (watch && hasChanged(listing))) listing = readListing(path)
    return listing
  }

  function confine(file: string): void {
    const { root } = list()
    const real = realpathSync(file)
    if (real === root || real.startsWith(root + sep)) return
    throw mistake('expected a file inside its folder, got a symbolic link that leads out of it', { file, line: 1, column: 1 })
  }

  /** What the file says; a half-written one that says nothing keeps what it said. */
  function idOf(file: string): string | undefined {
    const known = ids.get(file)
    if (known && !watch && looked.has(file)) return known.id
    looked.add(file)
    const version = versionOf(file)
    if (known && (known.version === version || !version || (watch && !isAtRest(file)))) return known.id
    const id = scan(file) ?? known?.id
    ids.set(file, { id, version })
    return id
  }

  function scan(file: string): string | undefined {
    try {
      confine(file)
      return /^id:[ \t]*(["']?)([^"'\s#]+)\1/m.exec(readText(file))?.[2]
    } catch {
      // An unreadable file has no say here; whoever asks for it by its name gets the error.
      return undefined
    }
  }

  function find(id: string): string | undefined {
    if (!idPattern.test(id)) return undefined
    const { files } = list()
    const named = files.find((file) => isNamed(file, id) && (idOf(file) ?? id) === id)
    return named ?? files.find((file) => idOf(file) === id)
  }

  return {
    find,
    ids: () =>
      list()
        .files.map(idOf)
        .filter((id) => id !== undefined && idPattern.test(id)) as string[], // filtered just there
    files: () => [...list().files],
    idOf,
    confine,
    refresh() {
      listing = undefined
      looked.clear()
    },
  }
}

/** Changes when the file is written again; nothing when it is gone. */
export function versionOf(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats && `${stats.mtimeMs}:${stats.size}:${stats.ino}`
}

/** Milliseconds without a change after which what is there counts as written to its end. */
const rest = 100

/** Whether nobody is writing it just now, as far as its time says. */
export function isAtRest(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats !== undefined && Math.abs(Date.now() - stats.mtimeMs) > rest
}

function hasChanged({ folders }: Listing): boolean {
  for (const [folder, time] of folders) {
    const now = statSync(folder, { throwIfNoEntry: false })?.mtimeMs
    if (now !== undefined && now !== time && isAtRest(folder)) return true
  }
  return false
}

function readListing(path: string): Listing {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) {
    throw new ModelwireError('configuration', `expected a folder or file of manifests, got "${path}", which doesn't exist`)
  }
  // A file that the user names may be a link to anywhere.
  if (!stats.isDirectory()) return { root: realpathSync(path), files: [resolve(path)], folders: new Map() }
  const listing: Listing = { root: realpathSync(path), files: [], folders: new Map() }
  readFolder(resolve(path), 0, listing)
  return listing
}

function readFolder(folder: string, depth: number, listing: Listing): void {
  listing.folders.set(folder, statSync(folder).mtimeMs)
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted(byName)) {
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    const kind = kindOf(entry, path, listing.root)
    if (kind === 'folder' && depth < deepest && !skipped.has(entry.name)) readFolder(path, depth + 1, listing)
    else if (kind === 'file' && /\.ya?ml$/.test(entry.name) && listing.files.push(path) > mostFiles) {
      const hint = 'Name the folder that holds nothing but manifests.'
      throw new ModelwireError('configuration', `expected at most ${mostFiles} manifests, got more in "${listing.root}"`, { hint })
    }
  }
}

/** A link to a folder outside isn't followed; a link to a file outside is refused when someone asks for it. */
function kindOf(entry: Dirent, path: string, root: string): 'file' | 'folder' | undefined {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (!entry.isSymbolicLink()) return undefined
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isDirectory()) return realpathSync(path).startsWith(root + sep) ? 'folder' : undefined
  return stats?.isFile() ? 'file' : undefined
}

function byName(a: Dirent, b: Dirent): number {
  return a.name < b.name ? -1 : 1
}

function isNamed(file: string, id: string): boolean {
  return file.endsWith(`${sep}${id}.yaml`) || file.endsWith(`${sep}${id}.yml`)
}
