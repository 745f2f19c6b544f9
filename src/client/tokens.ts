/** The public byte-pair encodings; `o200k_base` is that of current large models. */
export type Encoding = 'o200k_base' | 'cl100k_base' | 'p50k_base' | 'r50k_base'

type Counter = (text: string) => number

const counters = new Map<Encoding, Promise<Counter>>()

/**
 * How many tokens a text has in a public byte-pair encoding: exact for models that use it, an estimate (mostly within a
 * fifth for English) for all others. The tables load with the first count.
 */
export async function countTokens(text: string, encoding: Encoding = 'o200k_base'): Promise<number> {
  let counter = counters.get(encoding)
  if (counter === undefined) counters.set(encoding, (counter = load(encoding)))
  return (await counter)(text)
}

async function load(encoding: Encoding): Promise<Counter> {
  const { get_encoding: open } = await import('tiktoken')
  const table = open(encoding)
  // Text that looks like a special token is text: it came from a user.
  return (text) => table.encode(text, [], []).length
}
