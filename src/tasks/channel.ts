import type { TaskEvent } from './task.ts'

/** Events on their way from a task to who listens; it can be listened to once. */
export interface Channel {
  push(event: TaskEvent): void
  end(error?: unknown): void
  /** `left` hears of a listener who goes before the end. */
  listen(left: () => void): AsyncIterator<TaskEvent>
}

export function createChannel(): Channel {
  const events: TaskEvent[] = []
  let over: { error?: unknown } | undefined
  let wake: (() => void) | undefined

  /** Whoever listens slowly, or never, finds the newest: texts are joined, what is out of date is dropped. */
  const push = (event: TaskEvent): void => {
    if (over !== undefined) return
    const last = events.at(-1)
    if (event.type === 'text' && last?.type === 'text') {
      events[events.length - 1] = { type: 'text', delta: last.delta + event.delta }
    } else {
      if (event.type === 'partial' || event.type === 'progress') forget(event.type)
      events.push(event)
    }
    wake?.()
  }

  const forget = (type: TaskEvent['type']): void => {
    const old = events.findLastIndex((known) => known.type === type || known.type === 'state')
    if (events[old]?.type === type) events.splice(old, 1)
  }

  const listen = (left: () => void): AsyncIterator<TaskEvent> => ({
    next: async () => {
      if (events.length === 0 && over === undefined) await new Promise<void>((resolve) => (wake = resolve))
      wake = undefined
      const event = events.shift()
      if (event !== undefined) return { done: false, value: event }
      const error = over?.error
      over = {} // an error is told once
      if (error !== undefined) throw error
      return { done: true, value: undefined }
    },
    return: () => {
      const early = over === undefined
      over ??= {}
      events.length = 0
      if (early) left()
      return Promise.resolve({ done: true, value: undefined })
    },
  })

  return {
    push,
    end: (error) => {
      over ??= error === undefined ? {} : { error }
      wake?.()
    },
    listen,
  }
}
