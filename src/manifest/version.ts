import { ModelwireError } from '../core/error.ts'
import { readSource } from './built.ts'
import { isAtRest, versionOf, type Layer } from './layer.ts'
import type { Source } from './load.ts'
import { kindOf, mistake } from './mistake.ts'
import { positionOf } from './position.ts'
import { checkSource } from './validate.ts'

interface Versions {
  read(file: string, id: string, layer: Layer | undefined, check: boolean): Source
  refresh(): void
}

/** The versions of files that are in use. A version is replaced as a whole, so that calls in flight keep theirs. */
export function createVersions({ watch, onError }: { watch: boolean; onError: (error: ModelwireError) => void }): Versions {
  const files = new Map<string, { source: Source; version: string | undefined; looked: boolean; broken?: string | undefined }>()

  function load(file: string, id: string, layer: Layer | undefined, check: boolean): Source {
    layer?.confine(file)
    const source = readSource(file, id)
    if (check) checkSource(source)
    if (source.data['id'] !== id) {
      throw mistake(
        `expected the id "${id}", got ${kindOf(source.data['id'])}`,
        positionOf(source.data, 'id') ?? { file, line: 1, column: 1 },
      )
    }
    return source
  }

  return {
    read(file, id, layer, check) {
      const known = files.get(file)
      if (known && known.source.data['id'] === id) {
        if (known.looked && !watch) return known.source
        known.looked = true
        const version = versionOf(file)
        const isNew = version !== undefined && version !== known.version && version !== known.broken
        if (!isNew || (watch && !isAtRest(file))) return known.source
        try {
          const source = load(file, id, layer, check)
          if (versionOf(file) === version) files.set(file, { source, version, looked: true })
          return files.get(file)?.source ?? source
        } catch (error) {
          if (!(error instanceof ModelwireError)) throw error
          known.broken = version
          onError(error)
          return known.source
        }
      }
      const version = versionOf(file)
      const source = load(file, id, layer, check)
      files.set(file, { source, version, looked: true })
      return source
    },
    refresh() {
      for (const known of files.values()) known.looked = false
    },
  }
}
