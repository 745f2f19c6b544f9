/**
 * One try: sends, classifies, and reads up to the first event with content. Until then nothing has reached the consumer,
 * so it can be done again; what fails later is never repeated. `n` counts from 1. Fails with a ModelwireError.
 */
export type Attempt<T> = (n: number, signal: AbortSignal | undefined) => Promise<T>

/** Something around every attempt, or around all of them. */
export type Layer = <T>(inner: Attempt<T>) => Attempt<T>

/** The layer that isn't there. */
export const straight: Layer = (inner) => inner
