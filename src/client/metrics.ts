import { ModelwireError, type ErrorKind } from '../core/error.ts'
import type { UsageEvent } from '../core/event.ts'
import type { Heard, Live } from './live.ts'
import type { Open } from './opening.ts'
import type { TaskCounts } from './tasks.ts'

/** What a runtime has done since it was made. */
export interface Metrics {
  /** ISO 8601. */
  since: string
  /** Calls that are under way. */
  active: number
  /** Structured tasks: how many wait and run, and how those that are listed ended. */
  tasks: TaskCounts
  /** All models in one sum. */
  total: ModelMetrics
  /** By `provider/model operation`; those of the last thousand that were called. */
  models: Record<string, ModelMetrics>
}

export interface ModelMetrics {
  calls: number
  succeeded: number
  /** Whose caller left or cancelled. */
  cancelled: number
  failed: number
  /** Failures by their kind. */
  errors: Partial<Record<ErrorKind, number>>
  inputTokens: number
  outputTokens: number
  /** Milliseconds, of calls that succeeded: means. Absent before the first. */
  firstEventMs?: number
  totalMs?: number
  /** Over the whole time of calls that succeeded, the wait for the first event included. */
  outputTokensPerSecond?: number
}

export interface Meter {
  /** The same way to send calls, counted. */
  count(open: Open): Open
  read(): Omit<Metrics, 'tasks'>
}

/** Sums from which means are made when somebody asks. */
interface Sums {
  metrics: Omit<ModelMetrics, 'firstEventMs' | 'totalMs' | 'outputTokensPerSecond'>
  firstMs: number
  totalMs: number
  writtenTokens: number
  /** The last that was counted. Kept so that V8 keeps the code for such; see resident.ts. */
  usage: UsageEvent | undefined
}

const mostModels = 1_000

export function createMeter(): Meter {
  const since = new Date().toISOString()
  const tally: Tally = { active: 0, total: nothing() }
  const models = new Map<string, Sums>()
  let latest = ''

  function sumsOf(key: string): Sums {
    const known = models.get(key) ?? nothing()
    if (key === latest) return known
    latest = key
    models.delete(key)
    models.set(key, known) // the last one called stands last
    const oldest = models.keys().next().value
    if (models.size > mostModels && oldest !== undefined) models.delete(oldest)
    return known
  }

  return {
    count: (open) => (planned, input) => {
      const counting = new Counting(tally, sumsOf(`${planned.provider}/${planned.model} ${planned.operation.name}`))
      return open(planned, input).then(
        (live) => counting.replied(live),
        (error: unknown) => {
          counting.failed(error)
          throw error
        },
      )
    },
    read: () => ({
      since,
      active: tally.active,
      total: means(tally.total),
      models: Object.fromEntries([...models].map(([key, sums]) => [key, means(sums)])),
    }),
  }
}

/** What all calls count into. */
interface Tally {
  active: number
  total: Sums
}

/** One call, counted for its model and for all. */
class Counting implements Heard {
  readonly #tally: Tally
  readonly #model: Sums
  readonly #started = performance.now()
  #first = this.#started
  #usage: UsageEvent | undefined
  #over = false

  constructor(tally: Tally, model: Sums) {
    this.#tally = tally
    this.#model = model
    tally.active += 1
    tally.total.metrics.calls += 1
    model.metrics.calls += 1
  }

  replied(live: Live): Live {
    this.#first = performance.now()
    live.heard = this
    return live
  }

  counted(usage: UsageEvent): void {
    this.#usage = usage
  }

  ended(): void {
    this.#end('succeeded')
  }

  failed(error: unknown): void {
    const kind = error instanceof ModelwireError ? error.kind : undefined
    if (kind === 'cancelled') this.#end('cancelled')
    else this.#end('failed', kind)
  }

  left(): void {
    this.#end('cancelled')
  }

  #end(how: 'succeeded' | 'cancelled' | 'failed', kind?: ErrorKind): void {
    if (this.#over) return
    this.#over = true
    this.#tally.active -= 1
    const totalMs = performance.now() - this.#started
    for (const sums of [this.#tally.total, this.#model]) this.#add(sums, totalMs, how, kind)
  }

  #add(sums: Sums, totalMs: number, how: 'succeeded' | 'cancelled' | 'failed', kind: ErrorKind | undefined): void {
    const { inputTokens = 0, outputTokens = 0 } = this.#usage ?? {}
    sums.usage = this.#usage ?? sums.usage
    const { metrics } = sums
    metrics[how] += 1
    if (kind !== undefined) metrics.errors[kind] = (metrics.errors[kind] ?? 0) + 1
    metrics.inputTokens += inputTokens
    metrics.outputTokens += outputTokens
    if (how !== 'succeeded') return
    sums.firstMs += this.#first - this.#started
    sums.totalMs += totalMs
    sums.writtenTokens += outputTokens
  }
}

function nothing(): Sums {
  return {
    metrics: { calls: 0, succeeded: 0, cancelled: 0, failed: 0, errors: {}, inputTokens: 0, outputTokens: 0 },
    firstMs: 0,
    totalMs: 0,
    writtenTokens: 0,
    usage: undefined,
  }
}

function means({ metrics, firstMs, totalMs, writtenTokens }: Sums): ModelMetrics {
  const made = { ...metrics, errors: { ...metrics.errors } }
  const { succeeded } = made
  if (succeeded === 0) return made
  return {
    ...made,
    firstEventMs: firstMs / succeeded,
    totalMs: totalMs / succeeded,
    ...(writtenTokens > 0 && totalMs > 0 ? { outputTokensPerSecond: writtenTokens / (totalMs / 1_000) } : {}),
  }
}
