import type { Event } from '../core/event.ts'
import { ChatFold, type Fold } from '../core/fold.ts'
import type { Normal } from '../core/normalize.ts'
import type { CallOptions, Timeouts } from '../core/request.ts'
import type { Timing, Warning } from '../core/result.ts'
import { requestIdOf } from '../wire/call.ts'
import { type Live, readAll } from './live.ts'
import type { Open } from './opening.ts'
import { type RuntimeOptions, settingsOf } from './options.ts'
import { type Plan, type Planned, splitModel } from './planning.ts'
import { createStream, type Stream } from './stream.ts'

/** What a call about a model, rather than to it, may say. */
export interface EngineOptions extends Omit<CallOptions, 'model'> {
  /** For a load: how, in the engine's words (`contextLength`, `gpuLayers`, …). */
  options?: Record<string, unknown>
}

/** What came of fetching, loading, unloading or removing a model. */
export interface EngineResult {
  provider: string
  model: string
  /** The engine's last word about it. */
  status?: string
  warnings: Warning[]
  timing: Timing
  requestId?: string
}

/** What engines do with models, by the operations of their manifests. They throw `unsupported` where there is none. */
export interface Engines {
  /**
   * Has an engine fetch a model (`provider/model`): `progress` events as it goes, and its last word as the result. Nothing
   * is sent before it is iterated or its result is asked for; leaving it ends the call, though not always the engine's work.
   */
  pullModel(model: string, options?: EngineOptions): Stream<EngineResult>
  /** Has an engine load a model into its memory. */
  loadModel(model: string, options?: EngineOptions): Promise<EngineResult>
  /** Has an engine take a model out of its memory. */
  unloadModel(model: string, options?: EngineOptions): Promise<EngineResult>
  /** Has an engine delete a model that it had fetched. */
  removeModel(model: string, options?: EngineOptions): Promise<EngineResult>
}

/** Gigabytes come slowly, and are checked in silence at the end. */
const patience: Timeouts = { firstEvent: 600_000, idle: 600_000, total: 86_400_000 }

export function createEngines(options: RuntimeOptions, plan: Plan, open: Open): Engines {
  const planned = (operation: string, input: EngineOptions & CallOptions, stream: boolean): Planned => {
    const how = input.options === undefined ? {} : { options: input.options }
    return plan(input, operation, (model): Normal => ({ request: { model, stream, ...how }, warnings: [], partTypes: new Set() }))
  }

  const pullModel: Engines['pullModel'] = (model, given = {}) => {
    const tale = createTale(model)
    const warnings: Warning[] = []
    let live: Live | undefined
    let about: Planned | undefined
    return createStream<EngineResult>({
      fold: tale.fold,
      warnings,
      partial: () => undefined,
      finish: () => Promise.resolve(tale.result(about, live)),
      open: async (left) => {
        const { timeouts } = settingsOf(options, splitModel(model).provider)
        const signal = given.signal === undefined ? left : AbortSignal.any([left, given.signal])
        const input = { ...given, model, signal, timeouts: { ...patience, ...timeouts, ...given.timeouts } }
        about = planned('pull', input, true)
        warnings.push(...about.prepared.warnings)
        live = await open(about, input)
        return live
      },
    })
  }

  const act =
    (operation: string): Engines['loadModel'] =>
    async (model, given = {}) => {
      const tale = createTale(model)
      const input = { ...given, model }
      const about = planned(operation, input, false)
      const live = await open(about, input)
      for (const warning of about.prepared.warnings) tale.fold.push({ type: 'warning', ...warning })
      await readAll(live, (batch) => batch.forEach((event) => tale.fold.push(event)))
      return tale.result(about, live)
    }

  return { pullModel, loadModel: act('load'), unloadModel: act('unload'), removeModel: act('remove') }
}

/** What an engine says while it works, as it adds up. */
function createTale(named: string): {
  fold: Fold
  result(about: Planned | undefined, live: Live | undefined): EngineResult
} {
  const started = performance.now()
  const fold = new ChatFold('')
  let status: string | undefined
  const push = (event: Event): void => {
    if (event.type === 'progress') status = event.status ?? status
    fold.push(event)
  }
  return {
    fold: { push, result: () => fold.result() },
    result(about, live) {
      const { provider, model } = about ?? splitModel(named)
      const requestId = live === undefined ? undefined : requestIdOf(live.headers)
      return {
        provider,
        model,
        ...(status === undefined ? {} : { status }),
        warnings: fold.result().warnings,
        timing: { totalMs: performance.now() - started },
        ...(requestId === undefined ? {} : { requestId }),
      }
    },
  }
}
