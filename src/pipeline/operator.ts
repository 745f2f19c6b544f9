import type { Window } from './bytes.ts'

/** Takes values one at a time, then the end. A throw is a ModelwireError. */
export interface Sink<T> {
  push(value: T): void
  end(): void
}

/** What a decoder yields: a JSON value, bytes, or a transport's own object. */
export type Frame = unknown

/** Takes what a framing cuts out of the bytes: texts that hold a frame as JSON, or frames that are values already. */
export interface FrameSink extends Sink<Frame> {
  /** `tag` is the event's name, where the framing has one; `atEnd`: it may have been cut off by the end of the stream. */
  text(text: string, atEnd: boolean, tag?: string): void
  /** Frames known by their bytes, where that is wanted; `cut` finds the frame in the bytes of one. */
  shapes(cut: Cut): Shapes | undefined
}

/** A frame's JSON and its event's name. */
export interface Found {
  text: string
  tag?: string | undefined
}

/** Finds the frame in the text that a framing cut out; undefined when there isn't exactly one. */
export type Cut = (text: string) => Found | undefined

/** What is known of the frames that came, by their bytes. */
export interface Shapes {
  /** Says what the frames of known shape say that stand from `at` on, one behind the other; gives where that ends. */
  tell(chunk: Window, at: number): number
  /** Looks at the bytes of one frame (as Latin-1: a character each), with all that the framing puts around it, when it has gone the full way. */
  study(text: string): void
  /** How many of the frames that come next may go the full way unasked, since none of the last was known. */
  unasked(): number
}

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
