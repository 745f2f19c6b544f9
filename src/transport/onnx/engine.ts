import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { abortError, race } from '../../core/abort.ts'
import { ModelwireError } from '../../core/error.ts'
import type { Reply } from '../../wire/call.ts'
import type { Engine, EngineHealth, Locate } from '../../wire/engine.ts'
import { createCache } from './cache.ts'
import { filesOf } from './folder.ts'
import { freeModel, loadModel, type Model } from './model.ts'
import { loadRuntime, type OnnxRuntime } from './packages.ts'
import { readSettings, strangeKeys } from './settings.ts'
import { readTask, type Task } from './task.ts'
import { embed, type Frame, rerank } from './work.ts'

export interface OnnxOptions {
  /** Imports onnxruntime-node; where it isn't installed beside Modelwire. */
  load?: () => Promise<unknown>
  /** How long a model stays that nobody uses, in milliseconds. */
  idleMs?: number
}

/** ONNX models in this process: vectors of texts, and how well texts fit a query. */
export function createOnnxEngine(locate: Locate, { load, idleMs = 600_000 }: OnnxOptions = {}): Engine {
  const models = createCache<Model>(freeModel, idleMs)
  const closing = new AbortController()
  const running = new Set<Promise<Frame[]>>()
  let loading: Promise<OnnxRuntime> | undefined

  /** A package that is installed later is found by the next call. */
  const runtimeOf = (): Promise<OnnxRuntime> =>
    (loading ??= loadRuntime(load).catch((error: unknown) => {
      loading = undefined
      throw error
    }))

  const compute = async (task: Task, signal: AbortSignal): Promise<Frame[]> => {
    if (signal.aborted) throw abortError(signal)
    const runtime = await race(runtimeOf(), signal)
    const located = await race(locate(task.model), signal)
    const settings = readSettings(located)
    const { stamp, ...files } = await race(filesOf(located), signal)
    const source = { ...files, backend: task.backend, threads: settings.threads }
    const key = JSON.stringify([source, stamp])
    const { value: model, release } = await models.take(
      key,
      { id: located.id, file: source.file },
      () => loadModel(runtime, source),
      signal,
    )
    try {
      const bench = { model, settings, signal }
      const frames = task.run === 'embed' ? await embed(bench, task) : await rerank(bench, task)
      const strange = strangeKeys(located).map((name): Frame => ({
        warning: { field: `config.${name}`, reason: `the model's manifest has a key that means nothing for an ONNX model` },
      }))
      return [{ model: located.id }, ...strange, ...frames, { done: true }]
    } finally {
      release()
    }
  }

  return {
    call(call, signal) {
      if (closing.signal.aborted) return Promise.reject(abortError(closing.signal))
      try {
        const task = readTask(call)
        return Promise.resolve(
          replyOf(() => {
            const work = compute(task, AbortSignal.any([signal, closing.signal]))
            running.add(work)
            return work.finally(() => running.delete(work))
          }),
        )
      } catch (error) {
        return Promise.reject(error)
      }
    },
    async health() {
      return healthOf(await runtimeOf().catch((error: unknown) => error), models.values(), models.models())
    },
    async close() {
      closing.abort(new ModelwireError('cancelled', 'The runtime is closed.'))
      await Promise.allSettled(running)
      await models.close()
    },
  }
}

/** Nothing is computed before the body is read, and the model isn't held while its reader takes the frames. */
function replyOf(compute: () => Promise<Frame[]>): Reply {
  async function* frames(): AsyncGenerator<Frame> {
    yield* await compute()
  }
  return { status: 200, headers: {}, body: frames(), release: () => undefined }
}

function healthOf(runtime: unknown, loaded: readonly Model[], models: EngineHealth['models']): EngineHealth {
  const name = `${cpus()[0]?.model.trim() ?? 'processor'} (${availableParallelism()} threads)`
  const note = loaded.find((model) => model.note !== undefined)?.note
  return {
    available: !(runtime instanceof Error),
    ...(runtime instanceof Error ? { error: runtime.message } : {}),
    ...(loaded[0] === undefined ? {} : { backend: [...new Set(loaded.map(({ backend }) => backend))].join(', ') }),
    ...(note === undefined ? {} : { note }),
    devices: [{ name, kind: 'cpu', totalBytes: totalmem(), freeBytes: freemem() }],
    models: [...models],
  }
}
