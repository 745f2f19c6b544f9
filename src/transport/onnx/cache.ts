import { race } from '../../core/abort.ts'
import type { LoadedModel } from '../../wire/engine.ts'

/** What is loaded once and used by many at a time. */
export interface Cache<T> {
  /** Loads it, unless it is there or on its way. Whoever takes it gives it back. */
  take(key: string, about: { id: string; file: string }, load: () => Promise<T>, signal: AbortSignal): Promise<Lease<T>>
  models(): LoadedModel[]
  /** What is there now. */
  values(): T[]
  /** Frees all of it; nothing may be in use any more. */
  close(): Promise<void>
}

export interface Lease<T> {
  value: T
  release(): void
}

interface Entry<T> {
  id: string
  file: string
  loading: Promise<T>
  value?: T
  active: number
  waiting: number
  timer?: NodeJS.Timeout
  loadedAt?: string
  usedAt?: string
}

/** What nobody used for `idleMs` is freed. A failed load is forgotten: the next call tries again. */
export function createCache<T>(free: (value: T) => Promise<void>, idleMs: number): Cache<T> {
  const entries = new Map<string, Entry<T>>()
  const leaving = new Map<Entry<T>, Promise<void>>()

  const unload = (key: string, entry: Entry<T>): void => {
    entries.delete(key)
    clearTimeout(entry.timer)
    const freed = entry.loading.then(free, () => undefined).finally(() => leaving.delete(entry))
    leaving.set(entry, freed)
  }

  const rest = (key: string, entry: Entry<T>): void => {
    if (entry.active > 0 || entry.waiting > 0 || entries.get(key) !== entry) return
    clearTimeout(entry.timer)
    entry.timer = setTimeout(() => unload(key, entry), idleMs).unref()
  }

  const settle = async (key: string, entry: Entry<T>): Promise<void> => {
    try {
      entry.value = await entry.loading
      entry.loadedAt = new Date().toISOString()
      rest(key, entry) // everyone may have left while it loaded
    } catch {
      // Whoever waits for it gets the error.
      if (entries.get(key) === entry) entries.delete(key)
    }
  }

  const begin = (key: string, about: { id: string; file: string }, load: () => Promise<T>): Entry<T> => {
    const entry: Entry<T> = { ...about, loading: load(), active: 0, waiting: 0 }
    entries.set(key, entry)
    void settle(key, entry)
    return entry
  }

  const take: Cache<T>['take'] = async (key, about, load, signal) => {
    const entry = entries.get(key) ?? begin(key, about, load)
    entry.waiting++
    clearTimeout(entry.timer)
    let value: T
    try {
      value = await race(entry.loading, signal)
    } catch (error) {
      entry.waiting--
      if (entry.value !== undefined) rest(key, entry)
      throw error
    }
    entry.waiting--
    entry.active++
    let released = false
    return {
      value,
      release() {
        if (released) return
        released = true
        entry.active--
        entry.usedAt = new Date().toISOString()
        rest(key, entry)
      },
    }
  }

  return {
    take,
    models: () => [...[...entries.values()].map(describe), ...[...leaving.keys()].map((entry) => describe(entry, 'leaving'))],
    values: () => [...entries.values()].flatMap(({ value }) => (value === undefined ? [] : [value])),
    async close() {
      for (const [key, entry] of entries) unload(key, entry)
      await Promise.all(leaving.values())
    },
  }
}

function describe<T>({ id, file, value, active, waiting, loadedAt, usedAt }: Entry<T>, state?: unknown): LoadedModel {
  return {
    id,
    file,
    state: state === 'leaving' ? 'leaving' : value === undefined ? 'loading' : 'ready',
    active,
    waiting,
    ...(loadedAt === undefined ? {} : { loadedAt }),
    ...(usedAt === undefined ? {} : { usedAt }),
  }
}
