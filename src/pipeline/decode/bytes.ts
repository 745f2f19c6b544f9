import type { Frame, Operator } from '../operator.ts'

/** Bytes as they come: each chunk is a frame (audio). */
export function bytes(): Operator<Uint8Array, Frame> {
  return (next) => ({ push: (chunk) => next.push(chunk), end: () => next.end() })
}
