import { ModelwireError } from '../core/error.ts'
import { readManifest, type Source } from './load.ts'
import type { ModelManifest } from './model-schema.ts'
import { modelShape } from './shape.ts'
import { checkShape, checkSource, type Problem } from './validate.ts'

export type { ModelManifest }
export type ModelFile = Exclude<NonNullable<ModelManifest['files']>[string], string>

/** The manifest of a model. Throws like parseManifest; with `check` also for what its schema doesn't allow. */
export function readModel(file: string, check = true): { source: Source; data: ModelManifest } {
  const source = readManifest(file)
  if (check) checkSource(source, modelShape())
  return { source, data: source.data as unknown as ModelManifest } // just checked; those of the package by its own tests
}

/** Everything that is wrong with the manifest of a model. */
export function checkModel(file: string): Problem[] {
  try {
    return checkShape(readManifest(file), modelShape())
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error
    const { message, hint } = error
    const [, line = 1, column = 1] = /:(\d+):(\d+)$/.exec(error.where ?? '') ?? []
    const where = { file, line: Number(line), column: Number(column) }
    return [{ where, message, severity: 'error', ...(hint === undefined ? {} : { hint }) }]
  }
}

/** The provider that runs a model whose manifest names none, and a model file that has no manifest. */
export function usualProvider(): string {
  return String(modelShape().defaultOf('provider'))
}
