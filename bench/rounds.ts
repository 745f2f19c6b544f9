import { median, quartiles } from './statistics.ts'
import type { StreamRow } from './results.ts'

/** Goes round: each round starts with another one, so that none is always the first. */
export async function interleave<Id extends string, Measured = number>(
  ids: Id[],
  rounds: number,
  once: (id: Id, round: number) => Promise<Measured>,
  told: (round: number) => void,
): Promise<Map<Id, Measured[]>> {
  const measured = new Map<Id, Measured[]>(ids.map((id) => [id, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < ids.length; turn++) {
      const id = ids[(round + turn) % ids.length]
      if (id !== undefined) measured.get(id)?.push(await once(id, round))
    }
    told(round)
  }
  return measured
}

/** Medians over the rounds; the ratio is to `floor`, within each round. */
export function rowsOf(measured: Map<string, number[]>, floor: string): StreamRow[] {
  const byHand = measured.get(floor) ?? []
  return [...measured].map(([client, micros]) => {
    const [low, high] = quartiles(micros)
    return {
      client,
      micros: median(micros),
      low,
      high,
      ratio: median(micros.map((value, round) => value / (byHand[round] ?? NaN))),
    }
  })
}
