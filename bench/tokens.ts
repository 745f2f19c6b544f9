/** Text as models write it: the same in every run. */

const words =
  'the harbour lies still in morning light while small boats turn slowly on their chains and gulls argue over bread near old stone steps where fishermen mend nets before a tide that comes early this week'.split(
    ' ',
  )
const closers = ['.', ',', ';', '.\n\n', ' "so they say"', ' – é', ' 🌊']

/** Always the same numbers, so that every run and every client reads the same bytes. */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Pieces of the size that models stream: mostly a word with its blank, now and then what JSON escapes and what UTF-8 spreads over bytes. */
export function tokens(count: number, seed = 7): string[] {
  const roll = dice(seed)
  return Array.from({ length: count }, () =>
    roll() < 0.08 ? (closers[Math.floor(roll() * closers.length)] ?? '.') : ` ${words[Math.floor(roll() * words.length)] ?? 'the'}`,
  )
}

export function pieces(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) => text.slice(index * size, (index + 1) * size))
}
