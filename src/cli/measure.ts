import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatRequest, Event, ModelwireError, Runtime, Stream, Usage } from '../index.ts'
import { isModelwireError } from './failure.ts'

/** One call, as it looked from here. What isn't known is null. */
export interface Call {
  /** From the call to the first piece of text, reasoning, refusal or tool call. */
  firstTokenMs: number | null
  totalMs: number
  /** Of the tokens after the first one. Unknown where the answer came in one piece or its tokens weren't counted. */
  tokensPerSecond: number | null
  inputTokens: number | null
  cachedInputTokens: number | null
  outputTokens: number | null
  reasoningTokens: number | null
  /** US dollars. */
  cost: number | null
  finishReason: string | null
  error: { kind: string; status: number | null; message: string } | null
}

export interface Course {
  /** Calls that count. */
  rounds: number
  concurrency: number
  /** Calls before them that don't count: they open connections, load models, fill caches. */
  warmup: number
}

/** What came of one model's calls. */
export interface Measured {
  calls: Call[]
  /** From the start of the first call that counts to the end of the last one. */
  wallMs: number
  /** The first failure of each kind, those before the calls that count included. */
  failures: Map<string, ModelwireError>
  /** What the runtime had to say of the request, each once. */
  warnings: Map<string, { field: string; reason: string; where?: string }>
}

/** Failures that the same request meets each time: to send it again tells nothing and may cost money. */
const lasting = new Set([
  'invalid_request',
  'authentication',
  'permission_denied',
  'not_found',
  'request_too_large',
  'context_length',
  'quota_exhausted',
  'unsupported',
  'manifest',
  'configuration',
])

/** Milliseconds. Who asks for a longer pause isn't asked again. */
const longestPause = 60_000

/** Nothing is sent again: what a provider refuses is a result here. Without a back-off of its own the runtime holds no later call back. */
const retry = { attempts: 1, base: 0 }

/**
 * Calls one model again and again, so many at once, until all rounds are done, `signal` ends it, or a failure shows that no
 * call can succeed. Calls that `signal` cut short aren't counted. The pause that a provider asks for is made between calls,
 * so that it is in no call's time.
 */
export async function measure(
  mw: Runtime,
  ask: () => ChatRequest,
  { rounds, concurrency, warmup }: Course,
  signal: AbortSignal,
  seen: (call: Call, done: number) => void,
): Promise<Measured> {
  const measured: Measured = { calls: [], wallMs: 0, failures: new Map(), warnings: new Map() }
  const hopeless = new AbortController()
  const over = AbortSignal.any([signal, hopeless.signal])
  let started = 0
  let restUntil = 0

  const once = async (counted: boolean): Promise<void> => {
    const { call, failure } = await callOnce(mw.stream({ ...ask(), retry, signal }), measured.warnings)
    if (failure !== undefined && signal.aborted) return
    if (failure !== undefined && !measured.failures.has(failure.kind)) measured.failures.set(failure.kind, failure)
    const pause = failure?.retryAfterMs ?? 0
    restUntil = Math.max(restUntil, performance.now() + pause)
    const last = failure !== undefined && (lasting.has(failure.kind) || pause > longestPause)
    if (last) hopeless.abort()
    if (!counted && !last) return
    measured.calls.push(call)
    measured.wallMs = performance.now() - started
    seen(call, measured.calls.length)
  }

  const rest = async (): Promise<void> => {
    // It may grow while we wait.
    for (let ms = restUntil - performance.now(); ms > 0 && !over.aborted; ms = restUntil - performance.now())
      await sleep(Math.ceil(ms), undefined, { signal: over }).catch(() => undefined) // an abort ends the loop
  }

  const repeat = async (times: number, counted: boolean): Promise<void> => {
    let left = times
    started = performance.now()
    const lane = async (): Promise<void> => {
      while (left > 0 && !over.aborted) {
        left--
        await rest()
        if (!over.aborted) await once(counted)
      }
    }
    await Promise.all(Array.from({ length: Math.min(concurrency, times) }, lane))
  }

  await repeat(warmup, false)
  if (!over.aborted) await repeat(rounds, true)
  return measured
}

async function callOnce(stream: Stream, warnings: Measured['warnings']): Promise<{ call: Call; failure?: ModelwireError }> {
  const started = performance.now()
  let first: number | undefined
  let reads = 0
  try {
    for await (const batch of stream.batches()) {
      if (!batch.some(isSpoken)) continue
      first ??= performance.now() - started
      reads++
    }
    const totalMs = performance.now() - started
    const { usage, finishReason, cost, warnings: told } = await stream.result
    for (const warning of told) warnings.set(`${warning.field} ${warning.reason}`, warning)
    const after = first === undefined || reads < 2 ? 0 : totalMs - first
    return {
      call: {
        firstTokenMs: first ?? null,
        totalMs,
        tokensPerSecond: speed(usage.outputTokens, after),
        ...counts(usage),
        cost: cost ?? null,
        finishReason,
        error: null,
      },
    }
  } catch (failure) {
    if (!isModelwireError(failure)) throw failure
    const { kind, status, message } = failure
    const error = { kind, status: status ?? null, message }
    const totalMs = performance.now() - started
    const nothing = { ...counts({}), tokensPerSecond: null, cost: null, finishReason: null }
    return { call: { firstTokenMs: first ?? null, totalMs, ...nothing, error }, failure }
  }
}

function isSpoken(event: Event): boolean {
  switch (event.type) {
    case 'text':
    case 'refusal':
    case 'tool_call_delta':
      return event.delta !== ''
    case 'reasoning':
      return (event.delta ?? '') !== ''
    case 'tool_call_start':
    case 'audio':
      return true
    default:
      return false // not the model's own words
  }
}

/** The first token is what the wait was for; the others came in the time after it. */
function speed(outputTokens: number | undefined, ms: number): number | null {
  return outputTokens === undefined || outputTokens < 2 || ms <= 0 ? null : (outputTokens - 1) / (ms / 1_000)
}

function counts(usage: Usage): Pick<Call, 'inputTokens' | 'cachedInputTokens' | 'outputTokens' | 'reasoningTokens'> {
  return {
    inputTokens: usage.inputTokens ?? null,
    cachedInputTokens: usage.cachedInputTokens ?? null,
    outputTokens: usage.outputTokens ?? null,
    reasoningTokens: usage.reasoningTokens ?? null,
  }
}
