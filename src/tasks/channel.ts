import { createOnce } from '../core/once.ts'
import type { TaskEvent } from './task.ts'

/** Events on their way from a task to who listens; it can be listened to once. */
export interface Channel {
  push(event: TaskEvent): void
  end(error?: unknown): void
  /** `left` hears of a listener who goes before the end. Throws when somebody listens already. */
  listen(left: () => void): AsyncIterableIterator<TaskEvent>
}

/**
 * Nobody may be listening, and the task goes on: so what waits is bounded in number. Between two states there is one text,
 * to which those that follow are joined, and the newest `progress` and `partial` in place of all older ones.
 */
export function createChannel(): Channel {
  const events: TaskEvent[] = []
  const asking: PromiseWithResolvers<IteratorResult<TaskEvent>>[] = []
  const once = createOnce()
  let over: { error?: unknown } | undefined

  const keep = (event: TaskEvent): void => {
    const since = events.findLastIndex(({ type }) => type === 'state')
    const at = events.findIndex(({ type }, index) => index > since && type === event.type)
    const known = events[at]
    if (event.type === 'text' && known?.type === 'text') {
      events[at] = { type: 'text', delta: known.delta + event.delta }
      return
    }
    if (known !== undefined) events.splice(at, 1)
    events.push(event)
  }

  /** What there is to say when no event is left: an error once, then the end. */
  const conclude = (asked: PromiseWithResolvers<IteratorResult<TaskEvent>>): void => {
    const error = over?.error
    over = {}
    if (error === undefined) asked.resolve({ done: true, value: undefined })
    else asked.reject(error)
  }

  const finish = (how: { error?: unknown }): void => {
    if (over !== undefined) return
    over = how
    for (const asked of asking.splice(0)) conclude(asked)
  }

  const listen = (left: () => void): AsyncIterableIterator<TaskEvent> => {
    once.take()
    const iterator: AsyncIterableIterator<TaskEvent> = {
      next: () => {
        const event = events.shift()
        if (event !== undefined) return Promise.resolve({ done: false, value: event })
        const asked = Promise.withResolvers<IteratorResult<TaskEvent>>()
        if (over === undefined) asking.push(asked)
        else conclude(asked)
        return asked.promise
      },
      return: () => {
        const early = over === undefined
        finish({})
        over = {} // nobody is there to hear of an error
        events.length = 0
        if (early) left()
        return Promise.resolve({ done: true, value: undefined })
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  return {
    push: (event) => {
      if (over !== undefined) return
      const asked = asking.shift()
      if (asked === undefined) keep(event)
      else asked.resolve({ done: false, value: event })
    },
    end: (error) => finish(error === undefined ? {} : { error }),
    listen,
  }
}
