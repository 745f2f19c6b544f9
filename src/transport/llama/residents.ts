import { abortError, race } from '../../core/abort.ts'
import { ModelwireError } from '../../core/error.ts'
import { startTimer } from '../../core/timer.ts'
import { isRefusal } from '../../gguf/fit.ts'
import type { LoadedModel, LocatedModel } from '../../wire/engine.ts'
import { gpuOf, type Gpu, type Llama, openLlama } from './binding.ts'
import { count, type LoadOptions } from './body.ts'
import { described, type Entry, versionOf } from './entry.ts'
import { freeMemory, place } from './placement.ts'
import { openResident, type Resident } from './resident.ts'

/** A model in use by one call; `release` exactly once. */
export interface Lease {
  resident: Resident
  release(): void
}

/** The models in memory. */
export interface Residents {
  /** The model, loaded if it isn't. Calls that come while it loads wait for the same load. */
  use(located: LocatedModel, options: LoadOptions, signal: AbortSignal): Promise<Lease>
  /** Loads it now and keeps it. One that is loaded already is replaced: calls in flight finish on the old one. */
  load(located: LocatedModel, options: LoadOptions, signal: AbortSignal, onProgress: (fraction: number) => void): Promise<void>
  /** False when it wasn't loaded. Resolves when its memory is free: calls in flight finish first. */
  unload(id: string): Promise<boolean>
  list(): LoadedModel[]
  /** The backend that was used last, if any. */
  backend(): Promise<Llama | undefined>
  close(): Promise<void>
}

const defaultIdle = 600_000
const defaultQueue = 1_000

export function createResidents(): Residents {
  /** By the name under which a model is asked for. */
  const current = new Map<string, Entry>()
  /** Those that were replaced or unloaded and still have calls in flight. */
  const leaving = new Set<Entry>()
  /** Those that will replace another when they are ready. */
  const coming = new Set<Entry>()
  /** With what those were loaded that somebody wished for: a new file, or room that had to be made, doesn't change that. */
  const wished = new Map<string, LoadOptions>()
  const backends = new Map<Gpu, Promise<Llama>>()
  let turn: Promise<unknown> = Promise.resolve()
  let closed = false

  const backendOf = (gpu: Gpu): Promise<Llama> => {
    let opened = backends.get(gpu)
    if (opened === undefined) {
      opened = openLlama(gpu)
      backends.set(gpu, opened)
      opened.catch(() => backends.delete(gpu))
    }
    return opened
  }

  /** One load at a time: each is measured against the memory that those before it left. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined) // whoever waits for it hears of it
    return mine
  }

  function enter(located: LocatedModel, options: LoadOptions, kept: boolean, onProgress?: (fraction: number) => void): Entry {
    if (closed) throw new ModelwireError('cancelled', 'The runtime is closed.')
    const settings = { ...located.config, ...defined(options) } as LoadOptions // a model manifest's config is checked by its schema
    const loading = new AbortController()
    const gone = Promise.withResolvers<void>()
    const entry: Entry = {
      located,
      version: versionOf(located.file),
      ready: inTurn(() => open(entry, settings, onProgress)),
      resident: undefined,
      loading,
      state: 'loading',
      users: 0,
      kept,
      idle: count('idle', settings.idle) ?? defaultIdle,
      timer: undefined,
      loadedAt: 0,
      usedAt: Date.now(),
      gone,
    }
    // A swap by wish leaves the old one in its place until the new one is there: a load that fails costs nobody a model.
    if (kept && onProgress !== undefined && current.has(located.id)) coming.add(entry)
    else replace(entry)
    entry.gone.promise.catch(() => undefined) // who unloads it hears of it
    void settle(entry)
    return entry
  }

  function replace(entry: Entry): void {
    const { id } = entry.located
    const old = current.get(id)
    current.set(id, entry)
    if (old !== undefined && old !== entry) retire(old)
  }

  async function settle(entry: Entry): Promise<void> {
    try {
      entry.resident = await entry.ready
      if (coming.delete(entry) && entry.state === 'loading') replace(entry)
      entry.loadedAt = Date.now()
      if (entry.state === 'loading') entry.state = 'ready'
      rest(entry)
    } catch {
      // Whoever waits for it hears why; the next call tries again.
      if (current.get(entry.located.id) === entry) current.delete(entry.located.id)
      coming.delete(entry)
      leaving.delete(entry)
      entry.gone.resolve()
    }
  }

  async function open(entry: Entry, settings: LoadOptions, onProgress?: (fraction: number) => void): Promise<Resident> {
    const { signal } = entry.loading
    if (signal.aborted) throw abortError(signal)
    const { file } = entry.located
    const llama = await backendOf(gpuOf(settings.gpu))
    for (;;) {
      try {
        const allowed = count('memory', settings.memory) ?? Infinity
        const placement = await place(file, settings, await freeMemory(llama, allowed, taken()))
        return await openResident(llama, {
          ...placement,
          file,
          threads: count('threads', settings.threads),
          batchSize: count('batchSize', settings.batchSize),
          flashAttention: settings.flashAttention,
          queue: count('queue', settings.queue) ?? defaultQueue,
          signal,
          onProgress,
        })
      } catch (error) {
        // Room is made one model at a time: the one that was idle longest goes first.
        if (signal.aborted) throw abortError(signal)
        if (!isRefusal(error) || !(await evict(entry))) throw error
      }
    }
  }

  /** Bytes of main memory that the models here were reckoned to take. */
  function taken(): number {
    return [...current.values(), ...leaving].reduce((sum, { resident }) => sum + (resident?.placement.ramBytes ?? 0), 0)
  }

  /** Unloads the model that was idle longest, or waits for one that is on its way out. False when nothing can go. */
  async function evict(but: Entry): Promise<boolean> {
    const idle = [...current.values()]
      .filter((entry) => entry !== but && entry.state === 'ready' && entry.users === 0)
      .toSorted((left, right) => Number(left.kept) - Number(right.kept) || left.usedAt - right.usedAt)[0]
    const old = coming.has(but) ? current.get(but.located.id) : undefined // where both don't fit, the old one goes first after all
    const chosen = idle ?? [...leaving].find((entry) => entry !== but) ?? old
    if (chosen === undefined) return false
    if (chosen.state !== 'leaving') {
      current.delete(chosen.located.id)
      retire(chosen)
    }
    await race(chosen.gone.promise, but.loading.signal)
    return true
  }

  /** No new calls; its memory goes when the last call has ended. */
  function retire(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.state = 'leaving'
    leaving.add(entry)
    if (entry.users > 0) return
    if (entry.resident === undefined) entry.loading.abort(new Error('nobody waits for this model any more'))
    void free(entry)
  }

  async function free(entry: Entry): Promise<void> {
    const resident = await entry.ready.catch(() => undefined) // a load that failed has nothing to free
    try {
      await resident?.dispose()
      entry.gone.resolve()
    } catch (error) {
      entry.gone.reject(error)
    } finally {
      leaving.delete(entry)
    }
  }

  /** Starts the clock of an entry that nobody uses. */
  function rest(entry: Entry): void {
    clearTimeout(entry.timer)
    if (entry.users > 0 || entry.state !== 'ready') return
    if (entry.kept || entry.idle === 0) return
    entry.timer = startTimer(() => {
      if (current.get(entry.located.id) === entry) current.delete(entry.located.id)
      retire(entry)
    }, entry.idle).unref()
  }

  function hold(entry: Entry): () => void {
    entry.users += 1
    clearTimeout(entry.timer)
    let held = true
    return () => {
      if (!held) return
      held = false
      entry.users -= 1
      entry.usedAt = Date.now()
      if (entry.users > 0) return
      if (entry.state === 'leaving') retire(entry)
      else if (entry.state === 'ready') rest(entry)
      else {
        // The load was only for those who have left.
        if (current.get(entry.located.id) === entry) current.delete(entry.located.id)
        retire(entry)
      }
    }
  }

  async function use(located: LocatedModel, options: LoadOptions, signal: AbortSignal): Promise<Lease> {
    const known = current.get(located.id)
    const entry =
      known !== undefined && known.version === versionOf(located.file)
        ? known
        : enter(located, { ...options, ...wished.get(located.id) }, known?.kept ?? false)
    const release = hold(entry)
    try {
      return { resident: await race(entry.ready, signal), release }
    } catch (error) {
      release()
      throw error
    }
  }

  return {
    use,
    async load(located, options, signal, onProgress) {
      const entry = enter(located, options, true, onProgress)
      const release = hold(entry)
      try {
        await race(entry.ready, signal)
        wished.set(located.id, defined(options)) // one that failed is no wish to fail again
      } finally {
        release()
      }
    },
    async unload(id) {
      const entry = current.get(id)
      wished.delete(id)
      if (entry === undefined) return false
      current.delete(id)
      retire(entry)
      await entry.gone.promise
      return true
    },
    list: () => [...current.values(), ...coming, ...leaving].map(described),
    async backend() {
      return [...backends.values()].at(-1)
    },
    async close() {
      closed = true
      const all = [...current.values(), ...coming, ...leaving]
      current.clear()
      for (const entry of all) if (entry.state !== 'leaving') retire(entry)
      await Promise.all(all.map((entry) => entry.gone.promise))
      const opened = await Promise.allSettled(backends.values())
      backends.clear()
      for (const one of opened) if (one.status === 'fulfilled') await one.value.dispose()
    },
  }
}

function defined(options: LoadOptions): LoadOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null && value !== ''))
}
