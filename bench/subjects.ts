/** What is measured without a network: each area is a file in `subjects/` that says what it compares. */

/** One way to do one piece of work. */
export interface Subject {
  /** Does it once; `turn` counts up, so that no engine can lift the work out of the loop. */
  run(this: void, turn: number): unknown
  /** Throws when what came out is wrong. */
  check(this: void, made: unknown, turn: number): void
}

/** One load of an area, and who can do it. */
export interface Load {
  id: string
  title: string
  /** By the id of who does it; `by-hand` is what all ratios are to. Made outside the measured part. */
  subjects: Record<string, () => Subject | Promise<Subject>>
}

/** What each file in `subjects/` exports. */
export interface Area {
  loads: Load[]
}

/** Who does it, as the tables call it. */
export const floor = 'by-hand'

/** Throws with both texts where two values differ. */
export function same(made: unknown, expected: unknown): void {
  const [came, wanted] = [JSON.stringify(made) ?? 'nothing', JSON.stringify(expected) ?? 'nothing']
  if (came === wanted) return
  let at = 0
  while (came[at] === wanted[at]) at++
  const excerpt = (text: string) => text.slice(Math.max(0, at - 30), at + 60)
  throw new Error(`expected …${excerpt(wanted)}…, got …${excerpt(came)}…`)
}
