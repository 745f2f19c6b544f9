import type { Sink } from './operator.ts'
import type { Speech } from './speech.ts'

/** Marks in the text that set a part of it apart, as `<think>` does. */
export interface SplitOptions {
  open: string
  close: string
  /** What the part between the marks is. */
  as: 'reasoning'
}

/** Sets marked parts of the text apart, also where a mark is cut over several pieces. One state a choice. */
export function split(options: SplitOptions, next: Sink<Speech>): Sink<Speech> {
  const lanes = new Map<number, { inside: boolean; held: string }>()

  const tell = (choice: number | undefined, inside: boolean, delta: string): void => {
    if (delta === '') return
    next.push({ type: inside ? options.as : 'text', delta, ...(choice === undefined ? {} : { choice }) })
  }

  const hear = (choice: number | undefined, delta: string): void => {
    const lane = lanes.get(choice ?? 0) ?? { inside: false, held: '' }
    lanes.set(choice ?? 0, lane)
    let text = lane.held + delta
    for (;;) {
      const mark = lane.inside ? options.close : options.open
      const at = text.indexOf(mark)
      if (at < 0) {
        const keep = overlap(text, mark)
        tell(choice, lane.inside, text.slice(0, text.length - keep))
        lane.held = text.slice(text.length - keep)
        return
      }
      tell(choice, lane.inside, text.slice(0, at))
      text = text.slice(at + mark.length)
      lane.inside = !lane.inside
    }
  }

  return {
    push(speech) {
      if (speech.type === 'text' && speech.signature === undefined) hear(speech.choice, speech.delta)
      else next.push(speech)
    },
    end() {
      for (const [choice, { inside, held }] of lanes) tell(choice === 0 ? undefined : choice, inside, held)
      next.end()
    },
  }
}

/** How many characters at the end of a text may be the beginning of a mark. */
function overlap(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length
  }
  return 0
}
