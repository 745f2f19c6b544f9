/** Where something stands in a manifest; both numbers start at 1. */
export interface Position {
  file: string
  line: number
  column: number
}

/** What is known of the entries of one map or list. Nothing is copied or unpacked before someone asks. */
interface Places {
  own?: Map<string, Position>
  /** File, line and column of all entries, in turn, from `first` on; zeros for one that stands nowhere. */
  packed?: { files: readonly string[]; numbers: readonly number[]; first: number }
  /** Containers whose places hold here too, the first that knows one wins. */
  also?: readonly object[]
}

/** Beside the data, not in it: maps and lists stay plain, and a copy without positions is no mistake. */
const places = new WeakMap<object, Places>()

/** Where the entry `key` of a map (its key) or of a list (its value) was written; absent for what was made in memory. */
export function positionOf(container: object, key: string | number): Position | undefined {
  const known = places.get(container)
  if (known === undefined) return undefined
  const own = known.own?.get(String(key))
  if (own !== undefined) return own
  if (known.packed !== undefined) return unpack(container, known.packed, String(key))
  for (const other of known.also ?? []) {
    const position = positionOf(other, key)
    if (position !== undefined) return position
  }
  return undefined
}

function unpack(container: object, { files, numbers, first }: NonNullable<Places['packed']>, key: string): Position | undefined {
  const index = Object.keys(container).indexOf(key)
  const [number = 0, line = 0, column = 0] = index < 0 ? [] : numbers.slice(first + 3 * index, first + 3 * index + 3)
  const file = files[number]
  return file === undefined || line === 0 ? undefined : { file, line, column }
}

/** Says where the entry `key` of `container` stands. */
export function setPosition(container: object, key: string | number, position: Position): void {
  const known = places.get(container) ?? {}
  known.own ??= new Map()
  known.own.set(String(key), position)
  places.set(container, known)
}

/** Says where all entries of `container` stand: the file's place in `files`, line and column of each, in turn, from `first` on. */
export function setPositions(container: object, files: readonly string[], numbers: readonly number[], first: number): void {
  places.set(container, { packed: { files, numbers, first } })
}

/** Gives `to`, of which nothing is known, the positions of others that don't change any more; the first that knows one wins. */
export function sharePositions(to: object, ...from: object[]): void {
  places.set(to, { also: from })
}

/** `file:line:column`, or `a manifest` where nobody knows. */
export function format(position: Position | undefined): string {
  return position ? `${position.file}:${position.line}:${position.column}` : 'a manifest'
}
