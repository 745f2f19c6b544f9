/**
 * Texts that were written as JSON lately. A conversation is sent again with every turn, and most of what its JSON costs is
 * looking for characters to escape and making bytes of it: a text that comes again isn't looked through again.
 */

/** Where a text's JSON lies, until the next text is asked for. */
export interface Place {
  bytes: Buffer
  start: number
  end: number
}

/** Characters of a text that is remembered. */
const longest = 1 << 15
/** Bytes of all that are. When they are full, all is forgotten, and what is still sent is soon known again. */
const shelfBytes = 1 << 21

const places = new Map<string, Place>()
let shelf: Buffer | undefined
let filled = 0

/** The JSON of a text that was written before; nothing where it is new, too long to be kept, or another took its mark. */
export function recall(text: string): Place | undefined {
  if (text.length > longest || !familiar(text)) return undefined // to look it up, all of it has to be hashed
  return places.get(text) ?? keep(text)
}

/** A mark of each text that was written lately, in the place that it falls to. */
const marks = new Uint32Array(1 << 14)

/** Whether this text, or one very like it, was asked for before: to keep what is sent once costs more than it gives. */
function familiar(text: string): boolean {
  const { length } = text
  let mark = length
  for (let part = 0; part < 8; part++) mark = Math.imul(mark ^ text.charCodeAt((length * part) >> 3), 0x9e3779b1)
  mark = Math.imul(mark ^ text.charCodeAt(length - 1), 0x9e3779b1) >>> 0
  const place = mark >>> 18
  if (marks[place] === mark) return true
  marks[place] = mark
  return false
}

function keep(text: string): Place {
  const json = JSON.stringify(text)
  const most = json.length * 3 // bytes of UTF-8
  if (filled + most > shelfBytes) {
    places.clear()
    filled = 0
  }
  shelf ??= Buffer.allocUnsafeSlow(shelfBytes)
  const place = { bytes: shelf, start: filled, end: filled + shelf.write(json, filled) }
  filled = place.end
  // A copy: the text that was given may be a slice of a large one, and would hold that in memory.
  const copy = json.length === text.length + 2 ? json.slice(1, -1) : (JSON.parse(json) as string)
  places.set(copy, place)
  return place
}
