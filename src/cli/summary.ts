import type { ChatResult, Explanation, ResultMeta } from '../index.ts'
import { note, paintNote, safe } from './terminal.ts'

/** Usage, speed and cost on one line; with `verbose` what else the reply said. */
export function summarize(result: ChatResult, verbose: boolean): void {
  if (result.refusal !== undefined) note(`${paintNote.yellow('refused:')} ${safe(result.refusal)}`)
  const ending = endings[result.finishReason]
  if (ending !== undefined) note(`${paintNote.yellow('note:')} ${ending}`)
  const line = [
    ...usageOf(result),
    ...speedOf(result),
    ...(result.cost === undefined ? [] : [`$${result.cost.toPrecision(3)}`]),
  ].join(' · ')
  note(paintNote.dim(line))
  if (verbose) tellReply(result)
}

const endings: Partial<Record<ChatResult['finishReason'], string>> = {
  length: 'the answer was cut at the limit of tokens; --max-tokens raises it',
  content_filter: "the provider's content filter ended the answer",
  error: 'the provider ended the answer with an error',
}

export function usageOf({ usage }: ResultMeta): string[] {
  const beside = (count: number | undefined, word: string): string =>
    count === undefined || count === 0 ? '' : ` (${count} ${word})`
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage
  return [
    ...(inputTokens === undefined ? [] : [`${inputTokens} tokens in${beside(cachedInputTokens, 'cached')}`]),
    ...(outputTokens === undefined ? [] : [`${outputTokens} out${beside(reasoningTokens, 'reasoning')}`]),
  ]
}

function speedOf({ usage, timing }: ResultMeta): string[] {
  const { firstEventMs, totalMs } = timing
  const seconds = (totalMs - (firstEventMs ?? 0)) / 1_000
  const rate = usage.outputTokens === undefined || seconds <= 0 ? undefined : usage.outputTokens / seconds
  return [
    ...(rate === undefined ? [] : [`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} tok/s`]),
    ...(firstEventMs === undefined ? [] : [`first ${span(firstEventMs)}`]),
    span(totalMs),
  ]
}

export function span(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`
}

export function tellCall({ method, url, fields }: Explanation): void {
  note(paintNote.dim(`${method} ${safe(url)} (${fields.length} fields; \`modelwire explain\` shows them)`))
}

function tellReply(result: ChatResult): void {
  const { model, id, requestId, finishReason, rawFinishReason, rateLimits, sources } = result
  const said = [
    `model ${model}`,
    ...(id === undefined ? [] : [`id ${id}`]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
    `finish ${finishReason}${rawFinishReason === undefined || rawFinishReason === finishReason ? '' : ` (${rawFinishReason})`}`,
    ...Object.entries(rateLimits ?? {}).map(
      ([name, { remaining, limit }]) => `${name} left ${remaining ?? '?'} of ${limit ?? '?'}`,
    ),
  ]
  note(paintNote.dim(safe(said.join(' · '))))
  for (const { url, title } of sources ?? [])
    note(paintNote.dim(safe(`source ${[title, url].filter((part) => part !== undefined).join(' ')}`)))
}
