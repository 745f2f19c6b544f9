import type { Encoded } from './tokenizer.ts'

/** One text among those of a call. */
export interface Item extends Encoded {
  index: number
}

/** What each of the usual inputs of a graph holds at a place of a text's row; padding stands after the tokens. */
const inputs: Record<string, (item: Item, at: number, padId: number) => number> = {
  input_ids: ({ ids }, at, padId) => ids[at] ?? padId,
  attention_mask: ({ ids }, at) => (at < ids.length ? 1 : 0),
  token_type_ids: ({ types }, at) => types[at] ?? 0,
  position_ids: (_, at) => at,
}

/** The inputs of a graph that nothing is known about; a model with such isn't loaded. */
export function strangeInputs(names: readonly string[]): string[] {
  return names.filter((name) => !Object.hasOwn(inputs, name))
}

export function valueAt(name: string, item: Item, at: number, padId: number): number {
  return inputs[name]?.(item, at, padId) ?? 0
}
