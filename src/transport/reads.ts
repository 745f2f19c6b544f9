import { type OnReadOpts, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { ChunkedDecoder, type ChunkSink } from './chunked.ts'

/** Who takes the body that a socket reads. */
export interface Taker extends ChunkSink {
  /** Whether all that comes next is of the body. */
  taking(): boolean
  /** Whether it wants no more for now. */
  paused(): boolean
}

/** What came with the last read, until it is taken. */
const came = Symbol('came')
const taker = Symbol('taker')
/** Where the chunks of the body begin and end, as long as they are plain. */
const chunks = Symbol('chunks')
export type DirectSocket = Socket & {
  [came]?: Uint8Array | undefined
  [taker]?: Taker | undefined
  [chunks]?: ChunkedDecoder | undefined
}

/** Where all sockets read to. What came is lent out until the read is over; who keeps it copies it. */
const room = Buffer.allocUnsafeSlow(64 * 1024)
/** No chunk begins so: has the parser say that it is none. */
const noChunk = Buffer.from([0])

/** The socket whose read is being given out, and how long that is. */
let reading: DirectSocket | undefined
let readLength = 0

/**
 * The option `onread` of a socket whose reads go to who listens for `readable` in the very moment in which they come. Node's
 * own way costs 64 KB of memory, a queue and another turn a read, which is a sixth of what an event costs that comes alone.
 * What isn't taken at once goes that way: a socket that is paused, or in its handshake. Only a body is lent: headers are kept by
 * who parses them until they are whole.
 *
 * A chunked body goes past the parser: its taker has the data, and the parser gets what is no plain chunk, at the latest the
 * last one. That is another tenth.
 */
export const direct: OnReadOpts = {
  buffer: room,
  callback(this: DirectSocket, length: number) {
    if (this.readableLength > 0) return toNode(this, room.subarray(0, length)) // behind what waits
    const at = pastParser(this, length)
    if (at === length) return this[taker]?.paused() !== true
    const chunk = at < 0 ? noChunk : room.subarray(at, length)
    this[came] = this[taker]?.taking() === true ? chunk : owned(chunk)
    giveOut(this, length)
    const left = this[came]
    this[came] = undefined
    if (left !== undefined) return toNode(this, left)
    const decoder = this[chunks]
    if (decoder?.between() === true) decoder.past = true
    return true
  },
}

/** Hands the data of chunks to who takes the body, when the parser has been left behind: how many bytes that were; -1 when what came is no chunk. */
function pastParser(socket: DirectSocket, length: number): number {
  const decoder = socket[chunks]
  if (decoder === undefined) return 0
  const at = decoder.decode(room, 0, length, decoder.past ? socket[taker] : undefined)
  if (at !== length) socket[chunks] = undefined
  return decoder.past ? at : 0
}

function giveOut(socket: DirectSocket, length: number): void {
  reading = socket
  readLength = length
  socket.emit('readable')
  reading = undefined
  if (socket[taker]?.taking() === false) socket[taker] = undefined
}

/** Node's own way; which chunk the parser is at can't be said any more. */
function toNode(socket: DirectSocket, chunk: Uint8Array): boolean {
  socket[chunks] = undefined
  return socket.push(owned(chunk))
}

/** Has a socket that was made with `direct` give out what came. */
export function readDirectly(socket: DirectSocket): void {
  socket.read = readCame
  socket.unshift = unshiftOwned
}

/** Says who takes the body that begins with the read that is being given out. Gives the socket back, where there is such a read. */
export function take(by: Taker, chunked: boolean): DirectSocket | undefined {
  if (reading === undefined) return undefined
  reading[taker] = by
  reading[chunks] = chunked ? behindHead() : undefined
  return reading
}

/** The parser has what came with the head, so it is only counted. */
function behindHead(): ChunkedDecoder | undefined {
  const end = room.indexOf('\r\n\r\n')
  if (end < 0 || end + 4 > readLength) return undefined
  const decoder = new ChunkedDecoder()
  return decoder.decode(room, end + 4, readLength) === readLength ? decoder : undefined
}

/** Goes on with a socket whose taker was paused. */
export function goOn(socket: DirectSocket): void {
  if (socket[chunks]?.past === true) Socket.prototype.read.call(socket, 0)
}

/** The same bytes, to keep: lent ones are copied. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === room.buffer ? Buffer.copyBytesFrom(bytes) : bytes
}

function unshiftOwned(this: DirectSocket, chunk: Uint8Array, encoding?: BufferEncoding): void {
  Readable.prototype.unshift.call(this, owned(chunk), encoding)
}

function readCame(this: DirectSocket, size?: number): unknown {
  const chunk = this[came]
  if (chunk !== undefined) {
    this[came] = undefined
    return chunk
  }
  if (reading === this && this.readableLength === 0) return null // nothing else can have come meanwhile
  return Readable.prototype.read.call(this, size)
}
