import { ModelwireError } from '../../core/error.ts'
import type { Frame } from '../operator.ts'

/** Parses one frame. Its text never stands in the error: it may hold anything, a user's words first. */
export function parseFrame(text: string, limit: number, atEnd: boolean): Frame {
  if (text.length > limit) throw tooLarge(limit)
  try {
    return JSON.parse(text) as Frame
  } catch {
    if (atEnd) throw new ModelwireError('truncated', 'the stream ended in the middle of an event')
    throw new ModelwireError('protocol', `the provider sent an event that isn't JSON (${text.length} characters)`, {
      hint: "check the manifest's `decode`, or report it to the provider",
    })
  }
}

export function tooLarge(limit: number): ModelwireError {
  return new ModelwireError(
    'protocol',
    `an event is larger than ${limit < 1_048_576 ? `${limit} bytes` : `${Math.round(limit / 1_048_576)} MB`}`,
    {
      hint: 'raise `limits: { event }` (bytes) if this provider really sends such events',
    },
  )
}
