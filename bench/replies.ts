/** What the upstream sends, and what must be read from it. A reply on each wire stands in `replies/`. */
import type { Wire } from './conversation.ts'
import { anthropic } from './replies/anthropic.ts'
import { google } from './replies/google.ts'
import { ollama } from './replies/ollama.ts'
import { flood, openai, openaiWhole } from './replies/openai.ts'
import type { Reply } from './replies/reply.ts'

/** Events that a stream sends before it waits at the gate, and those at its end (reason, usage, `[DONE]`) that it keeps for another time. */
export const gate = { before: 3, after: 3 }

const counts = { bulk: 2000, paced: 200, short: 40, hang: 40, whole: 1, gate: 40, gateLong: 400, flood: 2000 }

/**
 * How a reply is sent: `bulk` in 16 KB pieces, `paced` one event a write, `short` in one piece, `hang` a few events and then
 * silence, `whole` as JSON, `gate` a few events and the others, one a write, when the gate opens, `flood` texts without an end.
 */
export type Mode = keyof typeof counts

export function isMode(word: string): word is Mode {
  return Object.hasOwn(counts, word)
}

const streams: Record<Wire, (count: number) => Reply> = { openai, anthropic, google, ollama }

/** The reply that a mode gives on a wire. Upstream and client build it alike, so that the one sends what the other expects. */
export function reply(mode: Mode, wire: Wire): Reply {
  if (mode === 'whole') return openaiWhole()
  if (mode === 'flood') return flood(counts.flood)
  return streams[wire](counts[mode])
}
