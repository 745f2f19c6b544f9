import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { bundledProtocols, type Catalog, createCatalog } from './catalog.ts'
import { compileOperation, type Fault, matchingPatches, patched } from './compile.ts'
import { isMap } from './extend.ts'
import { createLayer } from './layer.ts'
import { readManifest, type Source } from './load.ts'
import type { Position } from './position.ts'
import { compileService } from './service.ts'
import { checkShape, type Problem } from './validate.ts'

type Data = Record<string, unknown>

/**
 * Everything that is wrong with the manifest in `file`: its YAML, its shape, what it extends, and each of its operations,
 * compiled on each wire and with each model's patches. The catalog, made with `check: false`, has the manifests that it
 * may extend; a file that isn't in it is looked at above the bundled ones, with its parents beside it.
 */
export function checkManifest(file: string, catalog: Catalog): Problem[] {
  const problems: Problem[] = []
  const source = tried(file, problems, () => readManifest(file))
  if (source === undefined) return problems
  problems.push(...checkShape(source))
  const sound = problems.every(({ severity }) => severity === 'warning')
  const { id } = source.data
  if (typeof id !== 'string') return problems
  const found: Problem[] = []
  try {
    checkWhole(id, source.file, catalog.file(id) === resolve(file) ? catalog : catalogOf(source), found)
  } catch (error) {
    if (sound) throw error // else the shape is to blame, and was told
  }
  return [...problems, ...found.filter((problem) => !problems.some((known) => samePlace(known, problem)))].toSorted(
    byPlace(source.file),
  )
}

/** Files of one folder that say they are the same manifest: only one of them would ever be read. */
export function checkIds(folder: string): Problem[] {
  const layer = createLayer(folder, false)
  return layer.files().flatMap((file) => {
    const id = layer.idOf(file)
    const read = id === undefined ? undefined : layer.find(id)
    if (read === undefined || read === file) return []
    return [
      {
        where: start(file),
        message: `expected an id of its own, got "${id}", which is that of ${read}`,
        hint: 'Only one of them is read: rename or remove the other.',
        severity: 'error' as const,
      },
    ]
  })
}

function checkWhole(id: string, file: string, catalog: Catalog, problems: Problem[]): void {
  const own = tried(file, problems, () => catalog.resolve(id))
  if (own === undefined) return
  compileAll(own, file, problems)
  for (const wire of Object.keys(isMap(own['wires']) ? own['wires'] : {})) {
    const spoken = tried(file, problems, () => catalog.resolveWire(id, wire))
    if (spoken !== undefined) compileAll(spoken, file, problems)
  }
}

/** Each operation, for a model without patches and for each combination of patches that some model gets. */
function compileAll(manifest: Data, file: string, problems: Problem[]): void {
  const report = ({ message, hint, position }: Fault): void =>
    add(problems, { where: position ?? start(file), message, ...(hint === undefined ? {} : { hint }), severity: 'error' })
  tried(file, problems, () => compileService(manifest, report))
  for (const variant of variants(manifest, file, problems)) {
    const operations = isMap(variant['operations']) ? variant['operations'] : {}
    for (const name of Object.keys(operations)) {
      if (isMap(operations[name])) tried(file, problems, () => compileOperation(variant, name, report))
    }
  }
}

function variants(manifest: Data, file: string, problems: Problem[]): Data[] {
  const entries = Array.isArray(manifest['models']) ? manifest['models'].filter(isMap) : []
  const models = entries.flatMap((entry) => [entry['match']].flat()).filter((match) => typeof match === 'string')
  const combinations = new Map<string, string>()
  // A name that the pattern fits: what stands for anything may stand for nothing.
  for (const model of models.map((match) => match.replaceAll('*', '').replaceAll('?', 'x')))
    combinations.set(matchingPatches(manifest, model).join(), model)
  combinations.delete('')
  const made = [...combinations.values()].map((model) => tried(file, problems, () => patched(manifest, model)))
  return [manifest, ...made.filter((variant) => variant !== undefined)]
}

/** For a file that stands alone: it on top, and below it those of its parents that lie in the same folder. */
function catalogOf(source: Source): Catalog {
  const beside: string[] = []
  const collect = ({ data, file }: Source): void => {
    const wires = isMap(data['wires']) ? Object.values(data['wires']).filter(isMap) : []
    for (const parent of [data, ...wires].flatMap((part) => [part['extends']].flat())) {
      const path = join(dirname(resolve(file)), `${String(parent)}.yaml`)
      if (typeof parent !== 'string' || path === resolve(source.file) || beside.includes(path) || !existsSync(path)) continue
      beside.unshift(path)
      try {
        collect(readManifest(path))
      } catch (error) {
        if (!(error instanceof ModelwireError)) throw error
        // Broken itself: resolving tells.
      }
    }
  }
  collect(source)
  return createCatalog({ paths: [bundledProtocols, ...beside, source.file], check: false, env: process.env })
}

// ---- problems ----------------------------------------------------------------------------------------------------

/** What `make` gives; a mistake that it throws is added, and gives nothing. */
function tried<T>(file: string, problems: Problem[], make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    const { message, where, hint } = error
    add(problems, { where: positionIn(where) ?? start(file), message, ...(hint === undefined ? {} : { hint }), severity: 'error' })
    return undefined
  }
}

/** Wires and patches share most of a manifest: a mistake in it is told once. */
function add(problems: Problem[], problem: Problem): void {
  if (!problems.some((known) => samePlace(known, problem) && known.message === problem.message)) problems.push(problem)
}

function samePlace(a: Problem, b: Problem): boolean {
  return (
    a.severity === b.severity &&
    a.where?.file === b.where?.file &&
    a.where?.line === b.where?.line &&
    a.where?.column === b.where?.column
  )
}

/** By line and column; mistakes that are inherited from another file stand behind its own. */
function byPlace(own: string): (a: Problem, b: Problem) => number {
  const file = ({ where }: Problem): string => (where === undefined || where.file === own ? '' : where.file)
  return (a, b) =>
    file(a).localeCompare(file(b)) || (a.where?.line ?? 0) - (b.where?.line ?? 0) || (a.where?.column ?? 0) - (b.where?.column ?? 0)
}

function positionIn(where: string | undefined): Position | undefined {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(where ?? '') ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}

function start(file: string): Position {
  return { file, line: 1, column: 1 }
}
