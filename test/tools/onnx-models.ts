import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { LocatedModel } from '../../src/wire/engine.ts'
import { encodeModel, type Graph, type Node, type Slot } from './onnx.ts'
import { wordPiece } from './tokenizers.ts'

/** A table of numbers that a float of 32 bits holds exactly enough to compute with. */
export function table(rows: number, columns: number, seed: number): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (__, column) => Math.fround(Math.sin(seed + row * 7.3 + column * 1.7))),
  )
}

const places = ['texts', 'tokens']
const ids: Slot = { type: 'int64', shape: places }

/** Each token's vector is a row of the table; the output is `last_hidden_state`. */
export function tokenModel(rows: number[][], inputs: Record<string, Slot> = { attention_mask: ids }): Graph {
  const size = rows[0]?.length ?? 0
  return {
    inputs: { input_ids: ids, ...inputs },
    outputs: { last_hidden_state: { type: 'float', shape: [...places, size] } },
    constants: { table: { shape: [rows.length, size], floats: rows.flat() } },
    nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], output: 'last_hidden_state' }],
  }
}

/** Adds to each token's vector the row of its text in a pair and the row of its place. */
export function placedModel(rows: number[][], typeRows: number[][], placeRows: number[][], type: Slot['type'] = 'int64'): Graph {
  const size = rows[0]?.length ?? 0
  const slot: Slot = { type, shape: places }
  return {
    inputs: { input_ids: slot, attention_mask: slot, token_type_ids: slot, position_ids: slot },
    outputs: { last_hidden_state: { type: 'float', shape: [...places, size] } },
    constants: {
      words: { shape: [rows.length, size], floats: rows.flat() },
      types: { shape: [typeRows.length, size], floats: typeRows.flat() },
      places: { shape: [placeRows.length, size], floats: placeRows.flat() },
    },
    nodes: [
      { op: 'Gather', inputs: ['words', 'input_ids'], output: 'word' },
      { op: 'Gather', inputs: ['types', 'token_type_ids'], output: 'side' },
      { op: 'Gather', inputs: ['places', 'position_ids'], output: 'place' },
      { op: 'Add', inputs: ['word', 'side'], output: 'both' },
      { op: 'Add', inputs: ['both', 'place'], output: 'last_hidden_state' },
    ],
  }
}

/** The graph adds the rows of a text's tokens, and leaves out what the mask says is padding: the output has a row a text. */
export function summedModel(rows: number[][], output: string): Graph {
  const size = rows[0]?.length ?? 0
  const masked: Node[] = [
    { op: 'Cast', inputs: ['attention_mask'], output: 'weights', attributes: { to: 1 } },
    { op: 'Unsqueeze', inputs: ['weights', 'last'], output: 'wide' },
    { op: 'Mul', inputs: ['words', 'wide'], output: 'kept' },
  ]
  return {
    inputs: { input_ids: ids, attention_mask: ids },
    outputs: { [output]: { type: 'float', shape: ['texts', size] } },
    constants: {
      table: { shape: [rows.length, size], floats: rows.flat() },
      last: { shape: [1], ints: [2] },
      middle: { shape: [1], ints: [1] },
    },
    nodes: [
      { op: 'Gather', inputs: ['table', 'input_ids'], output: 'words' },
      ...masked,
      { op: 'ReduceSum', inputs: ['kept', 'middle'], output, attributes: { keepdims: 0 } },
    ],
  }
}

/** A folder that goes with the test. */
export function scratch(files: Record<string, string | Uint8Array> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-onnx-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

/** A model's files in a folder of their own, and how whoever keeps them would describe it. */
export function modelOf(graph: Graph, config: Record<string, unknown> = {}, tokenizer: object = wordPiece()): LocatedModel {
  const folder = scratch({ 'model.onnx': encodeModel(graph), 'tokenizer.json': JSON.stringify(tokenizer) })
  return {
    id: 'small',
    file: join(folder, 'model.onnx'),
    files: { tokenizer: join(folder, 'tokenizer.json') },
    config: { threads: 1, ...config },
  }
}
