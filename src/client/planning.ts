import { ModelwireError } from '../core/error.ts'
import type { Normal } from '../core/normalize.ts'
import type { CallOptions } from '../core/request.ts'
import type { Operation } from '../manifest/compile.ts'
import { createSettings, type RuntimeOptions, type Settings } from './options.ts'
import { prepareCall, type Prepared } from './prepare.ts'
import type { Registry } from './registry.ts'
import { checkWaits } from './waits.ts'

/** A request on its way: everything known before the first byte is sent. */
export interface Planned {
  operation: Operation
  provider: string
  model: string
  normal: Normal
  settings: Settings
  prepared: Prepared
}

/** Finds the operation, normalises the request and prepares the call; `origins` is filled for `explain`. */
export type Plan = (
  input: CallOptions,
  operation: string,
  normalize: (model: string, provider: string) => Normal,
  origins?: WeakMap<object, object>,
) => Planned

export function createPlan(options: RuntimeOptions, env: Record<string, string | undefined>, registry: Registry): Plan {
  const settingsOf = createSettings(options)
  return (input, name, normalize, origins) => {
    const { provider, model } = splitModel(input.model)
    try {
      checkWaits(input, 'invalid_request')
      const settings = settingsOf(provider)
      const operation = registry.operation(provider, name, model, input.wire ?? settings.own.wire)
      const normal = normalize(model, provider)
      const strict = input.strict ?? options.strict ?? false
      const prepared = prepareCall({ operation, provider, normal, input, settings, env, strict, origins })
      return { operation, provider, model, normal, settings, prepared }
    } catch (error) {
      throw named(error, provider, model)
    }
  }
}

/** Whose call it was stands in every error. */
export function named(error: unknown, provider: string, model: string): unknown {
  return error instanceof ModelwireError ? error.add({ provider, model }) : error
}

/** `provider/model`; the model may hold more slashes. */
export function splitModel(model: unknown): { provider: string; model: string } {
  const at = typeof model === 'string' ? model.indexOf('/') : -1
  if (typeof model !== 'string' || at <= 0 || at === model.length - 1) {
    throw new ModelwireError(
      'configuration',
      `\`model\` must be written as provider/model, got ${typeof model === 'string' ? JSON.stringify(model) : typeof model}`,
      {
        hint: "everything after the first slash is the provider's own name; `modelwire providers` lists the providers",
      },
    )
  }
  return { provider: model.slice(0, at), model: model.slice(at + 1) }
}
