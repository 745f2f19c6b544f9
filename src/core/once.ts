import { ModelwireError } from './error.ts'

/** The right to iterate a stream, of which there is one. */
export interface Once {
  taken(): boolean
  /** Throws when it was taken before: that is the caller's mistake. */
  take(): void
}

export function createOnce(): Once {
  let taken = false
  return {
    taken: () => taken,
    take() {
      if (taken)
        throw new ModelwireError('invalid_request', 'a stream can be iterated once', {
          hint: 'keep its events, or await `stream.result`',
        })
      taken = true
    },
  }
}
