import { positionOf, setPositions } from './position.ts'

/** A manifest as JSON-ready data, with what `positionOf` knows of it. */
export interface Snapshot {
  data: Record<string, unknown>
  /** The files that its entries stand in. */
  files: string[]
  /** File, line and column of every entry, in the order of `walk`; three zeros for one that stands nowhere. */
  places: number[]
}

/** A manifest as data that can be written; `restore` is its inverse. */
export function dump(data: Record<string, unknown>): Snapshot {
  const files: string[] = []
  const places: number[] = []
  walk(data, (container, keys) => {
    for (const key of keys) {
      const { file = '', line = 0, column = 0 } = positionOf(container, key) ?? {}
      if (line > 0 && !files.includes(file)) files.push(file)
      places.push(Math.max(files.indexOf(file), 0), line, column)
    }
  })
  return { data, files, places }
}

/** The manifest, positions and all. It is the snapshot's own data. */
export function restore({ data, files, places }: Snapshot): Record<string, unknown> {
  let next = 0
  walk(data, (container, keys) => {
    setPositions(container, files, places, next)
    next += 3 * keys.length
  })
  return data
}

/** Visits each map and each list, an outer one before those in it. */
function walk(node: unknown, visit: (container: object, keys: string[]) => void): void {
  if (typeof node !== 'object' || node === null) return
  const keys = Object.keys(node)
  visit(node, keys)
  for (const key of keys) walk((node as Record<string, unknown>)[key], visit) // its own keys
}
