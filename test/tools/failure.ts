import { ModelwireError } from '../../src/index.ts'

/** The error that a promise fails with; a success, and an error of another kind, are failures of the test. */
export async function failure(promise: Promise<unknown>): Promise<ModelwireError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error instanceof ModelwireError) return error
  throw new Error(`expected a ModelwireError, got ${String(error)}`)
}
