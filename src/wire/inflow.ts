import type { Chunk, Inflow, Reply } from './call.ts'

/** How a reply's body comes in. One that is iterated is asked for its next piece when somebody waits for it. */
export function inflowOf({ body, inflow }: Pick<Reply, 'body' | 'inflow'>): Inflow {
  return inflow ?? iterated(body[Symbol.asyncIterator]())
}

function iterated(pieces: AsyncIterator<Chunk>): Inflow {
  let came: IteratorResult<Chunk> | undefined
  let failure: { error: unknown } | undefined
  let waiting: (() => void)[] = []

  const ring = (): void => {
    const backs = waiting
    waiting = []
    for (const back of backs) back()
  }

  return {
    read() {
      if (failure !== undefined) throw failure.error
      if (came === undefined) return undefined
      if (came.done === true) return null
      const { value } = came
      came = undefined
      return value
    },
    wake(back) {
      if (waiting.push(back) > 1) return
      pieces
        .next()
        .then(
          (result) => void (came = result),
          (error: unknown) => void (failure = { error }),
        )
        .then(ring)
    },
    leave: async () => pieces.return?.(),
  }
}
