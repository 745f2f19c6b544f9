import type { ModelwireError, Replayed } from '../index.ts'

/** What a recording says that its payload says: docs/recordings.md gives the fields. Values are the provider's own. */
export interface Expected {
  text?: string
  reasoning?: string
  refusal?: string
  toolCalls?: { id: string | null; name: string; arguments: Record<string, unknown> | null; argumentsText?: string }[]
  /** The wire's legacy form of a single call, without an id. */
  functionCall?: { name: string; arguments: Record<string, unknown> | null }
  customToolCalls?: { id?: string | null; name: string; input?: string }[]
  usage?: Record<string, number>
  finishReason?: string | number | null
  /** Our own word for it; only our fixtures have it. */
  reason?: string
  model?: string
  error?: { status?: number; type?: string; code?: unknown; message?: string }
  embeddings?: { count: number; dimensions?: number; first?: number[]; encoding?: string }
  models?: { count?: number } | unknown[]
  /** Of a job: how often it told how far it is, its last word, and its last fraction. */
  progress?: { count: number; status?: string; fraction?: number }
  endsEarly?: boolean
}

/** What our side made of it, in the same words. */
export interface Actual {
  text?: string
  reasoning?: string
  refusal?: string
  toolCalls?: { id: string; name: string; arguments: unknown; argumentsText: string; kind?: string }[]
  usage?: Record<string, number>
  finishReason?: string
  rawFinishReason?: string
  model?: string
  embeddings?: { count: number; dimensions: number; first: number[] }
  models?: number
  progress?: { count: number; status?: string; fraction?: number }
  error?: { kind: string; message: string; status?: number }
}

export interface Outcome {
  replayed?: Replayed
  error?: ModelwireError
}

/** One thing that isn't as it was recorded. */
export interface Difference {
  field: string
  expected: unknown
  actual: unknown
}

export function actualOf({ replayed, error }: Outcome): Actual {
  const result = replayed?.result ?? error?.partial
  const actual: Actual = {}
  if (result !== undefined) {
    const { raw: _, ...usage } = result.usage
    Object.assign(actual, {
      text: result.text,
      reasoning: result.reasoning,
      ...(result.refusal === undefined ? {} : { refusal: result.refusal }),
      toolCalls: result.toolCalls.map((call) => ({ ...call, arguments: call.arguments ?? null })),
      usage,
      finishReason: result.finishReason,
      ...(result.rawFinishReason === undefined ? {} : { rawFinishReason: result.rawFinishReason }),
      model: result.model,
    })
  }
  const vectors = replayed?.result.embeddings
  if (vectors !== undefined)
    actual.embeddings = { count: vectors.length, dimensions: vectors[0]?.length ?? 0, first: (vectors[0] ?? []).slice(0, 3) }
  if (replayed?.result.models !== undefined) actual.models = replayed.result.models.length
  const told = replayed?.events.filter((event) => event.type === 'progress') ?? []
  if (told.length > 0) {
    const status = told.findLast((event) => event.status !== undefined)?.status
    const fraction = told.findLast((event) => event.fraction !== undefined)?.fraction
    actual.progress = {
      count: told.length,
      ...(status === undefined ? {} : { status }),
      ...(fraction === undefined ? {} : { fraction }),
    }
  }
  if (error !== undefined)
    actual.error = { kind: error.kind, message: error.message, ...(error.status === undefined ? {} : { status: error.status }) }
  return actual
}

/** Where our side differs from the recording. */
export function differences(expected: Expected, actual: Actual): Difference[] {
  if (expected.error !== undefined) return compareError(expected, actual)
  if (expected.endsEarly === true)
    return actual.error?.kind === 'truncated' ? [] : [{ field: 'error', expected: 'truncated', actual: actual.error ?? null }]
  if (actual.error !== undefined) return [{ field: 'error', expected: null, actual: actual.error }]
  if (expected.embeddings !== undefined) return [...compareEmbeddings(expected, actual), ...compareUsage(expected, actual)]
  if (expected.models !== undefined) return check('models', countOf(expected.models), actual.models)
  if (expected.progress !== undefined) return check('progress', expected.progress, actual.progress ?? null)
  return compareChat(expected, actual)
}

function countOf(models: NonNullable<Expected['models']>): unknown {
  return Array.isArray(models) ? models.length : models.count
}

function compareChat(expected: Expected, actual: Actual): Difference[] {
  return [
    ...check('text', expected.text ?? '', actual.text ?? ''),
    ...check('reasoning', expected.reasoning ?? '', actual.reasoning ?? ''),
    ...check('refusal', expected.refusal ?? '', actual.refusal ?? ''),
    ...compareCalls(expected, actual),
    ...compareUsage(expected, actual),
    ...(expected.finishReason === undefined || expected.finishReason === null
      ? []
      : check('finishReason', String(expected.finishReason), actual.rawFinishReason ?? '')),
    ...(expected.reason === undefined ? [] : check('reason', expected.reason, actual.finishReason)),
    ...(expected.model === undefined ? [] : check('model', expected.model, actual.model)),
  ]
}

function compareError(expected: Expected, actual: Actual): Difference[] {
  const { error } = expected
  if (actual.error === undefined) return [{ field: 'error', expected: error, actual: null }]
  const wanted = error?.message
  const said = typeof wanted === 'string' && wanted !== '' ? check('error.message', wanted.trim(), actual.error.message.trim()) : []
  const partial = (['text', 'reasoning'] as const).flatMap((field) =>
    expected[field] === undefined ? [] : check(field, expected[field], actual[field]),
  )
  return [...said, ...partial]
}

function compareCalls(expected: Expected, actual: Actual): Difference[] {
  const calls = (actual.toolCalls ?? []).filter((call) => call.kind !== 'custom')
  const legacy = expected.functionCall?.name ? [{ id: null, ...expected.functionCall }] : []
  const wanted: NonNullable<Expected['toolCalls']> = expected.toolCalls ?? legacy
  const found = wanted.flatMap((want, index) => {
    const got = calls[index]
    const field = `toolCalls[${index}]`
    if (got === undefined) return [{ field, expected: want, actual: null }]
    return [
      ...(want.id === null ? [] : check(`${field}.id`, want.id, got.id)),
      ...check(`${field}.name`, want.name, got.name),
      ...check(`${field}.arguments`, want.arguments, got.arguments),
      ...(want.arguments === null && want.argumentsText !== undefined
        ? check(`${field}.argumentsText`, want.argumentsText, got.argumentsText)
        : []),
    ]
  })
  const custom = (actual.toolCalls ?? []).filter((call) => call.kind === 'custom').map((call) => call.name)
  return [
    ...found,
    ...(calls.length > wanted.length ? [{ field: 'toolCalls', expected: wanted.length, actual: calls.length }] : []),
    ...check(
      'customToolCalls',
      (expected.customToolCalls ?? []).map((call) => call.name),
      custom,
    ),
  ]
}

/**
 * Recordings hold the provider's own counts. Some leave cached tokens out of the input (they have fields of their own for
 * them), some leave reasoning or tool use out of the sums: their total then says so.
 */
function compareUsage(expected: Expected, actual: Actual): Difference[] {
  const raw = expected.usage
  if (raw === undefined) return []
  const cached = raw.cachedInputTokens ?? raw.cacheReadInputTokens
  const written = raw.cacheCreationInputTokens ?? raw.cacheWriteInputTokens
  const [input, output, reasoning, total] = [raw.inputTokens, raw.outputTokens, raw.reasoningTokens, raw.totalTokens]
  const inputApart = sum(
    'cacheReadInputTokens' in raw || 'cacheCreationInputTokens' in raw
      ? [input, raw.cacheReadInputTokens, written]
      : [input, raw.toolUseInputTokens],
  )
  const apart = reasoning !== undefined && total !== undefined && total === (inputApart ?? 0) + (output ?? 0) + reasoning
  const usage = actual.usage ?? {}
  return [
    ...(input === undefined ? [] : check('usage.inputTokens', inputApart, usage.inputTokens)),
    ...(output === undefined && !apart
      ? []
      : check('usage.outputTokens', apart ? sum([output, reasoning]) : output, usage.outputTokens)),
    ...(reasoning === undefined ? [] : check('usage.reasoningTokens', reasoning, usage.reasoningTokens)),
    ...(cached === undefined ? [] : check('usage.cachedInputTokens', cached, usage.cachedInputTokens)),
    ...(written === undefined ? [] : check('usage.cacheWriteTokens', written, usage.cacheWriteTokens)),
    ...(total === undefined ? [] : check('usage.totalTokens', total, usage.totalTokens)),
  ]
}

function sum(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((left, right) => left + right, 0)
}

function compareEmbeddings(expected: Expected, actual: Actual): Difference[] {
  const { count, dimensions, first } = expected.embeddings ?? { count: 0 }
  return [
    ...check('embeddings.count', count, actual.embeddings?.count),
    ...(dimensions === undefined ? [] : check('embeddings.dimensions', dimensions, actual.embeddings?.dimensions)),
    ...(first === undefined ? [] : check('embeddings.first', first, actual.embeddings?.first)),
  ]
}

function check(field: string, expected: unknown, actual: unknown): Difference[] {
  return canonical(expected) === canonical(actual) ? [] : [{ field, expected, actual }]
}

/** Key order doesn't count. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1)))
      : item,
  )
}
