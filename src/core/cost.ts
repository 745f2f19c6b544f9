import type { Usage } from './result.ts'

/** US dollars for a million tokens. */
export interface Prices {
  input?: number
  /** Of what came from a cache; as `input` where it isn't said. */
  cachedInput?: number
  /** Of what was written to a cache; as `input` where it isn't said. */
  cacheWrite?: number
  output?: number
}

const million = 1_000_000

/** What a call cost, in US dollars: as the provider says it, else by the prices. Undefined where a price or a count is missing. */
export function costOf(usage: Usage, prices: Prices): number | undefined {
  if (usage.cost !== undefined) return usage.cost
  const { input, cachedInput = input, cacheWrite = input, output } = prices
  const { inputTokens, outputTokens = 0, cachedInputTokens: cached = 0, cacheWriteTokens: written = 0 } = usage
  if (input === undefined || cachedInput === undefined || cacheWrite === undefined || inputTokens === undefined) return undefined
  if (output === undefined && outputTokens > 0) return undefined
  const read = (inputTokens - cached - written) * input + cached * cachedInput + written * cacheWrite
  return (read + outputTokens * (output ?? 0)) / million
}
