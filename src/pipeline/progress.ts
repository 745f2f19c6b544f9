import type { ProgressEvent } from '../core/event.ts'

const mostParts = 10_000

/** Makes the fraction of a job where its frames only count: what is done of all parts that were heard of. */
export function createProgress(): (event: ProgressEvent) => ProgressEvent {
  const parts = new Map<string, { completed: number; total: number }>()
  return (event) => {
    const { total, completed = 0, part = '' } = event
    if (event.fraction !== undefined || typeof total !== 'number' || !(total > 0)) return event
    if (parts.size < mostParts || parts.has(part)) parts.set(part, { completed: Math.min(completed, total), total })
    let [done, all] = [0, 0]
    for (const known of parts.values()) {
      done += known.completed
      all += known.total
    }
    return { ...event, fraction: all > 0 ? done / all : 0 }
  }
}
