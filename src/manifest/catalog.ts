import { delimiter, resolve as absolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ModelwireError } from '../core/error.ts'
import { builtManifests, type Place, readResolved } from './built.ts'
import { isMap, overlay, pick } from './extend.ts'
import { createLayer, idPattern } from './layer.ts'
import type { Source } from './load.ts'
import { kindOf, mistake } from './mistake.ts'
import { positionOf } from './position.ts'
import { didYouMean } from './suggest.ts'
import { createVersions } from './version.ts'

/** All manifests of some folders and files, read when first asked for. */
export interface Catalog {
  /** The ids of all manifests, sorted. */
  ids(): string[]
  /** The manifest as it was written, from the uppermost layer that has it. Throws if its file is broken. */
  find(id: string): Source | undefined
  /**
   * The manifest with all that it extends, parents first; `wires` are left as they were written. Throws `configuration`
   * for an id that nobody has, `manifest` for mistakes. The result is shared: don't change it.
   */
  resolve(id: string): Data
  /**
   * A named alternative wire: what the wire extends, then what the provider says about itself (address, auth, …), then
   * what the wire says. Throws `configuration` for a name that the provider doesn't have. Shared, too.
   */
  resolveWire(id: string, name: string): Data
  /** All manifests that are in what `resolve`, or `resolveWire`, gives. */
  grounds(id: string, wire?: string): Source[]
  /** The file that `find` reads. */
  file(id: string): string | undefined
  /** All files of all layers, lower ones first, those that hold no manifest too. */
  files(): string[]
  /** Looks at all folders and files again. A file that broke keeps its last good version. */
  refresh(): void
}

export interface CatalogOptions {
  /** Folders and files; later ones win over earlier ones. */
  paths: string[]
  /** Reads files again when they change. */
  watch?: boolean | undefined
  /** Hears of each broken version of a file whose last good version stays in use. */
  onError?: ((error: ModelwireError) => void) | undefined
  /** False: files aren't compared with the schema; for who does that and goes on after a mistake. */
  check?: boolean | undefined
  /** `MODELWIRE_PROTOCOLS` names more folders: above the bundled ones, below the rest of `paths`. */
  env?: Record<string, string | undefined> | undefined
  /** The folder of what the build has worked out of the bundled manifests; that of the package when absent. */
  built?: string | undefined
}

type Data = Record<string, unknown>

/** The manifests that come with the package. */
export const bundledProtocols = fileURLToPath(new URL('../../protocols', import.meta.url))

/** What a provider says about itself whichever wire it speaks. */
const ofProvider = ['id', 'name', 'docs', 'status', 'base', 'variables', 'auth', 'headers', 'query', 'limits', 'prices']
/** What a child doesn't take over from those it extends. */
const ofItself = ['id', 'name', 'docs', 'status', 'extends', 'wires']

/** A manifest, and the place in the layers where it was found. */
interface Found {
  source: Source
  layer: number
}
/** Which source answered for an id below a layer: what a resolved manifest rests on. */
interface Ground {
  id: string
  below: number
  source: Source
}
interface Resolved {
  data: Data
  /** Parents first, each once, itself last. */
  grounds: Ground[]
}

/** Synchronous and cheap: nothing is read before it is asked for. */
export function createCatalog(options: CatalogOptions): Catalog {
  const { watch = false, onError = warn, check = true } = options
  const paths = withEnvironment(options.paths, options.env)
  const layers = paths.map((path) => createLayer(path, watch))
  const versions = createVersions({ watch, onError })
  const cache = new Map<string, Resolved & { reported?: string }>()
  const wireCache = new WeakMap<Resolved, Map<string, Resolved>>()
  const builtCache = new Map<string, Data | undefined>()
  const place: Place = { folder: options.built ?? builtManifests, root: bundledProtocols, isBare }

  /** Whether only the bundled manifests can have one of this id. */
  function isBare(id: string): boolean {
    return layers.every((layer, index) => paths[index] === bundledProtocols || layer.find(id) === undefined)
  }

  /** What the build worked out. With `watch` nothing of it is used: each file may be another at the next look. */
  function built(id: string, wire?: string): Data | undefined {
    if (watch || !paths.includes(bundledProtocols)) return undefined
    const key = wire === undefined ? id : `${id}\0${wire}`
    if (!builtCache.has(key)) builtCache.set(key, readResolved(id, wire, place))
    return builtCache.get(key)
  }

  function findBelow(id: string, below: number): Found | undefined {
    for (let layer = below - 1; layer >= 0; layer--) {
      const file = layers[layer]?.find(id)
      if (file !== undefined)
        return { source: versions.read(file, id, layers[layer], check && paths[layer] !== bundledProtocols), layer }
    }
    return undefined
  }

  function resolveFrom(found: Found, trail: Found[], memo: Map<Source, Resolved>): Resolved {
    const { source, layer } = found
    const known = memo.get(source)
    if (known) return known
    const id = String(source.data['id'])
    let inherited: Data | undefined
    const grounds = new Map<Source, Ground>()
    for (const parent of parentsOf(source.data)) {
      const below = parent === id ? layer : layers.length
      const next = findBelow(parent, below) ?? fail(missing(parent, id, source.data, ids()))
      if (trail.some(({ source: seen }) => seen === next.source)) throw circle([...trail, next], source.data)
      const above = resolveFrom(next, [...trail, next], memo)
      for (const ground of above.grounds) grounds.set(ground.source, ground)
      grounds.set(next.source, { id: parent, below, source: next.source })
      inherited = inherited === undefined ? above.data : (overlay(inherited, above.data) as Data) // as below
    }
    const wires = { ...wiresOf(inherited), ...wiresOf(source.data) }
    const data = overlay(without(inherited, ofItself), without(source.data, ['extends', 'wires'])) as Data // two maps make one
    if (Object.values(wires).some(isMap))
      data['wires'] = Object.fromEntries(Object.entries(wires).filter(([, wire]) => isMap(wire)))
    const resolved = { data, grounds: [...grounds.values()] }
    memo.set(source, resolved)
    return resolved
  }

  function look(id: string): Resolved {
    const known = cache.get(id)
    if (known && (!watch || known.grounds.every((ground) => findBelow(ground.id, ground.below)?.source === ground.source)))
      return known
    try {
      const found = findBelow(id, layers.length) ?? fail(unknown(id, ids()))
      const { data, grounds } = resolveFrom(found, [found], new Map())
      const resolved = { data, grounds: [...grounds, { id, below: layers.length, source: found.source }] }
      cache.set(id, resolved)
      return resolved
    } catch (error) {
      // Each file is well by itself, but not with the others: what worked last stays, as with a broken file.
      if (!known || !(error instanceof ModelwireError) || error.kind !== 'manifest') throw error
      const report = `${error.where} ${error.message}`
      if (known.reported !== report) onError(error)
      known.reported = report
      return known
    }
  }

  function lookAtWire(id: string, name: string): Resolved {
    const own = look(id)
    const known = wireCache.get(own) ?? new Map<string, Resolved>()
    wireCache.set(own, known)
    const resolved = known.get(name) ?? resolveWire(id, name, own)
    known.set(name, resolved)
    return resolved
  }

  function resolveWire(id: string, name: string, { data, grounds }: Resolved): Resolved {
    const all = new Map(grounds.map((ground) => [ground.source, ground]))
    const written = grounds.map(({ source }) => source.data)
    const said = written.map((own) => wiresOf(own)[name])
    const wires = said.slice(said.lastIndexOf(null) + 1).filter(isMap)
    if (wires.length === 0) throw unknownWire(id, name, Object.keys(wiresOf(data)))
    const parents = wires.findLast((wire) => wire['extends'] !== undefined && wire['extends'] !== null)
    let result: unknown = {}
    for (const parent of parents ? parentsOf(parents) : []) {
      if (!findBelow(parent, layers.length)) throw missing(parent, `${id}, wire ${name}`, parents ?? {}, ids())
      const above = look(parent)
      for (const ground of above.grounds) all.set(ground.source, ground)
      result = overlay(result, above.data)
    }
    result = without(result, ofItself)
    // A dialect that the provider extends is another wire; whoever has an address, or this wire, is the provider itself.
    for (const own of written) {
      const speaks = own === written.at(-1) || 'base' in own || Object.hasOwn(wiresOf(own), name)
      if (speaks) result = overlay(result, only(own, ofProvider))
    }
    for (const wire of wires) result = overlay(result, without(wire, ['extends']))
    const whole = overlay(without(result, ['id']), only(data, ['id'])) as Data // two maps make one
    return { data: whole, grounds: [...all.values()] }
  }

  function ids(): string[] {
    return [...new Set(layers.flatMap((layer) => layer.ids()))].toSorted()
  }

  return {
    ids,
    find: (id) => findBelow(id, layers.length)?.source,
    resolve: (id) => built(id) ?? look(id).data,
    resolveWire: (id, name) => built(id, name) ?? lookAtWire(id, name).data,
    grounds: (id, wire) => (wire === undefined ? look(id) : lookAtWire(id, wire)).grounds.map(({ source }) => source),
    files: () => [...new Set(layers.flatMap((layer) => layer.files()))],
    file: (id) => layers.findLast((layer) => layer.find(id) !== undefined)?.find(id),
    refresh() {
      for (const layer of layers) layer.refresh()
      versions.refresh()
      builtCache.clear()
      if (!watch) cache.clear()
    },
  }
}

function withEnvironment(paths: string[], env: Record<string, string | undefined> | undefined): string[] {
  const all = paths.map((path) => absolute(path))
  const named = (env?.['MODELWIRE_PROTOCOLS'] ?? '').split(delimiter).filter((path) => path !== '')
  all.splice(all[0] === bundledProtocols ? 1 : 0, 0, ...named.map((path) => absolute(path)))
  return all
}

function parentsOf(data: Data): string[] {
  const written = data['extends'] ?? []
  const parents: unknown[] = Array.isArray(written) ? written : [written]
  return parents.map((parent, index) => {
    if (typeof parent === 'string' && idPattern.test(parent)) return parent
    const position = (Array.isArray(written) && positionOf(written, index)) || positionOf(data, 'extends')
    throw mistake(`expected the id of a manifest, got ${kindOf(parent)}`, position, 'Paths and addresses are refused.')
  })
}

function wiresOf(data: unknown): Data {
  return isMap(data) && isMap(data['wires']) ? data['wires'] : {}
}

function without(data: unknown, keys: string[]): Data {
  return pick(data, (key) => !keys.includes(key))
}

function only(data: unknown, keys: string[]): Data {
  return pick(data, (key) => keys.includes(key.replace(/\+$/, '')))
}

function fail(error: ModelwireError): never {
  throw error
}

function unknown(id: string, ids: string[]): ModelwireError {
  const hint =
    'Run `modelwire providers` to see them all, or add a YAML file to a folder that `protocols` or MODELWIRE_PROTOCOLS names.'
  return new ModelwireError('configuration', `there is no provider or dialect "${id}"${didYouMean(id, ids)}`, { hint })
}

function unknownWire(id: string, name: string, names: string[]): ModelwireError {
  const hint = names.length > 0 ? `Its wires are ${names.join(', ')}.` : 'It has no other wires.'
  return new ModelwireError('configuration', `expected a wire of "${id}", got "${name}"${didYouMean(name, names)}`, { hint })
}

function missing(parent: string, id: string, data: Data, ids: string[]): ModelwireError {
  const what = parent === id ? 'which no lower layer has' : 'which nobody has'
  const others = ids.filter((other) => other !== id)
  return mistake(
    `expected the id of a manifest, got "${parent}", ${what}${didYouMean(parent, others)}`,
    positionOf(data, 'extends'),
  )
}

function circle(trail: Found[], data: Data): ModelwireError {
  const chain = trail.map(({ source }) => String(source.data['id'])).join(' → ')
  return mistake(
    `expected manifests that end somewhere, got the circle ${chain}`,
    positionOf(data, 'extends'),
    'Remove one "extends".',
  )
}

function warn(error: ModelwireError): void {
  process.emitWarning(`${error.where}: ${error.message}; the last good version stays in use`)
}
