import { ModelwireError } from '../core/error.ts'
import { type Catalog } from '../manifest/catalog.ts'
import { compileOperation, matchingPatches, type Operation, patched } from '../manifest/compile.ts'
import { isMap, type PlainMap } from '../lang/value.ts'

/** Operations by name, compiled when first asked for. */
export interface Registry {
  operation(provider: string, name: string, model: string, wire?: string): Operation
  /** The names of a provider's operations. */
  operations(provider: string, wire?: string): string[]
}

const mostModels = 1_000

export function createRegistry(catalog: Catalog): Registry {
  // Keyed by the resolved manifest itself: a changed file gives a new one, and calls in flight keep theirs.
  const compiled = new WeakMap<PlainMap, { byModel: Map<string, Operation>; byPatches: Map<string, Operation> }>()
  const manifestOf = (provider: string, wire: string | undefined): PlainMap =>
    wire === undefined ? catalog.resolve(provider) : catalog.resolveWire(provider, wire)

  const has = (manifest: PlainMap, name: string): boolean => isMap(manifest.operations) && isMap(manifest.operations[name])

  return {
    operation(provider, name, model, wire) {
      const chosen = manifestOf(provider, wire)
      // A wire that says nothing about an operation leaves it to the provider's own.
      const manifest = wire !== undefined && !has(chosen, name) ? manifestOf(provider, undefined) : chosen
      if (!has(manifest, name)) throw lacks(provider, name, manifest)
      let known = compiled.get(manifest)
      if (known === undefined) compiled.set(manifest, (known = { byModel: new Map(), byPatches: new Map() }))
      const { byModel, byPatches } = known
      const asked = `${name} ${model}`
      const found = byModel.get(asked)
      if (found !== undefined) return found
      const key = `${name} ${matchingPatches(manifest, model).join(',')}`
      let operation = byPatches.get(key)
      if (operation === undefined) byPatches.set(key, (operation = compileOperation(patched(manifest, model), name)))
      if (byModel.size >= mostModels) byModel.clear() // model names may come from outside
      byModel.set(asked, operation)
      return operation
    },
    operations(provider, wire) {
      const { operations } = manifestOf(provider, wire)
      return isMap(operations) ? Object.keys(operations) : []
    },
  }
}

function lacks(provider: string, name: string, manifest: PlainMap): ModelwireError {
  const known = isMap(manifest.operations) ? Object.keys(manifest.operations).join(', ') : ''
  return new ModelwireError('unsupported', `the manifest "${provider}" has no operation "${name}"`, {
    provider,
    hint: known === '' ? 'give it `operations`, or let it extend a dialect' : `it has ${known}`,
  })
}
