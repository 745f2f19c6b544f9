import type { Answer } from '../conversation.ts'

/** A streamed call as one writes it by hand. */
export interface Handwritten {
  path: string
  headers: Record<string, string>
  body: object
  /** What stands before the JSON of a line. */
  prefix: string
  fold(this: void): Fold
}

/** Takes the JSON of each event, and says at the end what it told. */
export interface Fold {
  take(this: void, data: string): void
  answer(this: void): Answer
}
