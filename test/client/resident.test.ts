import { expect, it } from 'vitest'
import { rehearse } from '../../src/client/resident.ts'

it('makes a whole call and a streamed one to nobody, and keeps what they were made of', async () => {
  // The plans, the replies, the result twice, the stream, its iterator, a window on bytes; and an event for each of 14 frames at least.
  expect(await rehearse()).toBeGreaterThan(9 + 14)
})
