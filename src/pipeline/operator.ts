/** Takes values one at a time, then the end. A throw is a ModelwireError. */
export interface Sink<T> {
  push(value: T): void
  end(): void
}

/** One step of the pipeline: given who listens, who to tell. State lives in the closure, so one instance serves one stream. */
export type Operator<In, Out> = (next: Sink<Out>) => Sink<In>

/** What a decoder yields: a JSON value, bytes, or a transport's own object. */
export type Frame = unknown

/** What one stream knows about its own completion; shared by its operators. */
export interface Progress {
  /** The framing's own terminator came. */
  done: boolean
  /** A finish reason was said. */
  finish: boolean
  /** A frame matched the manifest's closing pattern. */
  closed: boolean
  /** Frames that no rule matched. */
  unmatched: number
  frames: number
}
