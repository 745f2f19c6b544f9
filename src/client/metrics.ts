import { ModelwireError, type ErrorKind } from '../core/error.ts'
import type { UsageEvent } from '../core/event.ts'
import type { Heard } from './live.ts'
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
}

const mostModels = 1_000

export function createMeter(): Meter {
  const since = new Date().toISOString()
  const total = nothing()
  const models = new Map<string, Sums>()
  let active = 0
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

  function begin(key: string): Counting {
    const sums = [total, sumsOf(key)]
    const started = performance.now()
    let first = started
    let usage: UsageEvent | undefined
    let over = false
    active += 1
    for (const { metrics } of sums) metrics.calls += 1

    const end = (how: 'succeeded' | 'cancelled' | 'failed', kind?: ErrorKind): void => {
      if (over) return
      over = true
      active -= 1
      const now = performance.now()
      for (const one of sums) {
        one.metrics[how] += 1
        if (kind !== undefined) one.metrics.errors[kind] = (one.metrics.errors[kind] ?? 0) + 1
        one.metrics.inputTokens += usage?.inputTokens ?? 0
        one.metrics.outputTokens += usage?.outputTokens ?? 0
        if (how !== 'succeeded') continue
        one.firstMs += first - started
        one.totalMs += now - started
        one.writtenTokens += usage?.outputTokens ?? 0
      }
    }

    return {
      replied: () => void (first = performance.now()),
      counted: (counts) => void (usage = counts),
      ended: () => end('succeeded'),
      failed(error) {
        const kind = error instanceof ModelwireError ? error.kind : undefined
        if (kind === 'cancelled') end('cancelled')
        else end('failed', kind)
      },
      left: () => end('cancelled'),
    }
  }

  return {
    count: (open) => async (planned, input) => {
      const counting = begin(`${planned.provider}/${planned.model} ${planned.operation.name}`)
      try {
        const live = await open(planned, input)
        counting.replied()
        live.heard = counting
        return live
      } catch (error) {
        counting.failed(error)
        throw error
      }
    },
    read: () => ({
      since,
      active,
      total: means(total),
      models: Object.fromEntries([...models].map(([key, sums]) => [key, means(sums)])),
    }),
  }
}

interface Counting extends Heard {
  replied(): void
}

function nothing(): Sums {
  return {
    metrics: { calls: 0, succeeded: 0, cancelled: 0, failed: 0, errors: {}, inputTokens: 0, outputTokens: 0 },
    firstMs: 0,
    totalMs: 0,
    writtenTokens: 0,
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
