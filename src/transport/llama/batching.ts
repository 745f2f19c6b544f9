import type { BatchItem, PrioritizedBatchItem } from 'node-llama-cpp'

/** Turns of the microtask queue that a batch waits for sequences that are about to ask. */
const patience = 12

/**
 * Fills batches. After a batch the sequences hear of their tokens one after the other, and the binding begins the next batch
 * with whoever has asked by then: of four, three, and then the fourth alone, which costs nearly as much. So an incomplete
 * batch is put off for a few microtasks, in which the others ask (measured: 300 batches of 4 instead of 400 of 3 and 400 of 1).
 */
export function fullBatches(
  active: () => number,
): (batch: { items: readonly BatchItem[]; size: number }) => PrioritizedBatchItem[] {
  let waited = 0
  return ({ items, size }) => {
    if (items.length < active() && waited < patience) {
      waited += 1
      return []
    }
    waited = 0
    return share(items, size)
  }
}

/** Short ones (a token of an answer) whole, then what is left to the long ones (prompts) in equal parts. */
function share(items: readonly BatchItem[], size: number): PrioritizedBatchItem[] {
  const byNeed = items.toSorted(
    (left, right) => right.evaluationPriority - left.evaluationPriority || left.tokens.length - right.tokens.length,
  )
  let room = size
  return byNeed.flatMap((item, index) => {
    const processAmount = Math.min(item.tokens.length, Math.ceil(room / (byNeed.length - index)))
    room -= processAmount
    return processAmount > 0 ? [{ item, processAmount }] : []
  })
}
