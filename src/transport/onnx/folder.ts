import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ModelwireError } from '../../core/error.ts'
import type { LocatedModel } from '../../wire/engine.ts'

/** The files of a model, and a stamp that changes when one of them is replaced. */
export interface ModelFiles {
  file: string
  tokenizer: string
  tokenizerConfig: string | undefined
  stamp: string
}

/** A model is a graph and its tokenizer: named by its manifest, or found where those who publish models put them. */
export async function filesOf({ id, file, files }: LocatedModel): Promise<ModelFiles> {
  const graph = await first([file, join(file, 'model.onnx'), join(file, 'onnx/model.onnx')])
  if (graph === undefined) {
    throw new ModelwireError('not_found', `the model "${id}" has no file ${file}`, {
      hint: 'pull or copy it there; a folder must hold model.onnx',
    })
  }
  const beside = dirname(graph.path)
  const given = files.tokenizer
  const tokenizer = await first(
    given === undefined ? [join(beside, 'tokenizer.json'), join(dirname(beside), 'tokenizer.json')] : [given],
  )
  if (tokenizer === undefined) {
    throw new ModelwireError(
      'not_found',
      `the model "${id}" has no tokenizer: ${given ?? join(beside, 'tokenizer.json')} isn't there`,
      {
        hint: "put the model's tokenizer.json there, or say where it is: `files: { tokenizer }` in its manifest",
      },
    )
  }
  return {
    file: graph.path,
    tokenizer: tokenizer.path,
    tokenizerConfig: files.config,
    stamp: `${graph.stamp} ${tokenizer.stamp}`,
  }
}

/** The first of some paths that is a file. */
async function first(paths: readonly string[]): Promise<{ path: string; stamp: string } | undefined> {
  for (const path of paths) {
    const found = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
      throw new ModelwireError('configuration', `${path} can't be read: ${error instanceof Error ? error.message : String(error)}`)
    })
    if (found?.isFile() === true) return { path, stamp: `${found.size}:${found.mtimeMs}` }
  }
  return undefined
}
