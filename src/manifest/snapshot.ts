import { existsSync, readFileSync } from 'node:fs'
import { parseManifest, readText, type Source } from './load.ts'
import { positionOf, setPositions } from './position.ts'

/**
 * What the build keeps of a bundled manifest, in dist/snapshots, so that using it needs no YAML parser: that takes 20 ms
 * to load. The text is in it, so that a file that was edited since is never answered by what it said before.
 */
export interface Snapshot {
  text: string
  data: Record<string, unknown>
  /** Line and column of every entry, in the order of `walk`. */
  places: number[]
}

/** A manifest as JSON-ready data; `restore` is its inverse. */
export function dump({ text, data }: Source): Snapshot {
  const places: number[] = []
  walk(data, (container, keys) => {
    for (const key of keys) {
      const { line, column } = positionOf(container, key) ?? { line: 0, column: 0 }
      places.push(line, column)
    }
  })
  return { text, data, places }
}

/** What parsing `text` as that of `file` gives, positions and all. The data is the snapshot's own. */
export function restore({ text, data, places }: Snapshot, file: string): Source {
  let next = 0
  walk(data, (container, keys) => {
    setPositions(container, file, places, next)
    next += 2 * keys.length
  })
  return { file, text, data }
}

/** Visits each map and each list, an outer one before those in it. */
function walk(node: unknown, visit: (container: object, keys: string[]) => void): void {
  if (typeof node !== 'object' || node === null) return
  visit(node, Object.keys(node))
  for (const value of Object.values(node)) walk(value, visit)
}

const built = new URL('../snapshots/', import.meta.url)

/** Reads the manifest in `file`: from the build's snapshot where there is one of the very same text, else by parsing it. */
export function readSource(file: string, id: string, snapshots: URL = built): Source {
  const text = readText(file)
  const path = new URL(`${id}.json`, snapshots)
  if (existsSync(path)) {
    const snapshot = JSON.parse(readFileSync(path, 'utf8')) as Snapshot // our own build wrote it
    if (snapshot.text === text) return restore(snapshot, file)
  }
  return parseManifest(text, file)
}
