/** Where something stands in a manifest; both numbers start at 1. */
export interface Position {
  file: string
  line: number
  column: number
}

/** Beside the data, not in it: maps and lists stay plain, and a copy without positions is no mistake. */
const places = new WeakMap<object, Map<string, Position>>()

/** Where the entry `key` of a map (its key) or of a list (its value) was written; absent for what was made in memory. */
export function positionOf(container: object, key: string | number): Position | undefined {
  return places.get(container)?.get(String(key))
}

/** Says where the entry `key` of `container` stands. */
export function setPosition(container: object, key: string | number, position: Position): void {
  const known = places.get(container)
  if (known) known.set(String(key), position)
  else places.set(container, new Map([[String(key), position]]))
}

/** Gives `to` all positions of `from`; what `to` knew of the same keys is replaced. */
export function copyPositions(from: object, to: object): void {
  for (const [key, position] of places.get(from) ?? []) setPosition(to, key, position)
}

/** `file:line:column`, or `a manifest` where nobody knows. */
export function format(position: Position | undefined): string {
  return position ? `${position.file}:${position.line}:${position.column}` : 'a manifest'
}
