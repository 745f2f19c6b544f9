/** Where something stands in a manifest; both numbers start at 1. */
export interface Position {
  file: string
  line: number
  column: number
}

/** Lines and columns, in turn, of all entries of one container; they begin at `first` of a longer list. */
interface Packed {
  file: string
  numbers: readonly number[]
  first: number
}

/** Beside the data, not in it: maps and lists stay plain, and a copy without positions is no mistake. */
const places = new WeakMap<object, Map<string, Position> | Packed>()

/** Where the entry `key` of a map (its key) or of a list (its value) was written; absent for what was made in memory. */
export function positionOf(container: object, key: string | number): Position | undefined {
  return placesOf(container)?.get(String(key))
}

/** Most positions are never asked for: a container's are unpacked when one is. */
function placesOf(container: object): Map<string, Position> | undefined {
  const known = places.get(container)
  if (known === undefined || known instanceof Map) return known
  const { file, numbers, first } = known
  const unpacked = new Map<string, Position>()
  for (const [index, key] of Object.keys(container).entries()) {
    unpacked.set(key, { file, line: numbers[first + 2 * index] ?? 0, column: numbers[first + 2 * index + 1] ?? 0 })
  }
  places.set(container, unpacked)
  return unpacked
}

/** Says where the entry `key` of `container` stands. */
export function setPosition(container: object, key: string | number, position: Position): void {
  const known = placesOf(container)
  if (known) known.set(String(key), position)
  else places.set(container, new Map([[String(key), position]]))
}

/** Says where all entries of `container` stand: line and column of each, in turn, from `first` on. */
export function setPositions(container: object, file: string, numbers: readonly number[], first: number): void {
  places.set(container, { file, numbers, first })
}

/** Gives `to` all positions of `from`; what `to` knew of the same keys is replaced. */
export function copyPositions(from: object, to: object): void {
  for (const [key, position] of placesOf(from) ?? []) setPosition(to, key, position)
}

/** `file:line:column`, or `a manifest` where nobody knows. */
export function format(position: Position | undefined): string {
  return position ? `${position.file}:${position.line}:${position.column}` : 'a manifest'
}
