import { ModelwireError } from '../core/error.ts'
import { isMap } from '../lang/value.ts'
import type { Catalog } from '../manifest/catalog.ts'
import { readAuth, transportOf } from '../manifest/compile.ts'
import { keyState } from './credentials.ts'
import { type RuntimeOptions, settingsOf } from './options.ts'

/** What is known of a manifest without calling anybody. */
export interface ProviderInfo {
  id: string
  name?: string
  docs?: string
  file?: string
  /** Has an address, or runs in this process: can be called. A dialect hasn't. */
  callable: boolean
  /** What carries its calls, where that works in this process. */
  transport?: string
  operations: string[]
  wires: string[]
  /** Ways to start its engine on this machine, where its manifest has a `service`. */
  ways?: string[]
  /** Variables of the environment that may hold its key; the first that is set counts. */
  keys: string[]
  /** Whether a key is there: `none` is needed, or it's `optional` and not there. */
  key: 'set' | 'missing' | 'optional' | 'none'
  /** What is wrong with the manifest, where it can't be read: the others go on. */
  problem?: string
}

/** One broken manifest doesn't hide the others. */
export function describeProvider(
  id: string,
  catalog: Catalog,
  options: RuntimeOptions,
  env: Record<string, string | undefined>,
): ProviderInfo {
  const file = catalog.file(id)
  const found = file === undefined ? {} : { file }
  let manifest: Record<string, unknown>
  try {
    manifest = catalog.resolve(id)
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    const problem = error.where === undefined ? error.message : `${error.where}: ${error.message}`
    return { id, ...found, callable: false, operations: [], wires: [], keys: [], key: 'none', problem }
  }
  const text = (key: string): Record<string, string> => (typeof manifest[key] === 'string' ? { [key]: manifest[key] } : {})
  const transport = transportOf(manifest)
  return {
    id,
    ...text('name'),
    ...text('docs'),
    ...found,
    callable: manifest.base !== undefined || transport !== 'http',
    ...(transport === 'http' ? {} : { transport }),
    operations: Object.keys((manifest.operations ?? {}) as object),
    wires: Object.keys((manifest.wires ?? {}) as object),
    ...(isMap(manifest.service) ? { ways: Object.keys((manifest.service.ways ?? {}) as object) } : {}),
    ...keyState(readAuth(manifest.auth), id, settingsOf(options, id).own, env),
  }
}
