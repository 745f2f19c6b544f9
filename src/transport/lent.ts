/** Where all sockets read to. What came is lent out until the read is over; who keeps it copies it. */
export const room = Buffer.allocUnsafeSlow(64 * 1024)

/** The same bytes, to keep: lent ones are copied. */
export function owned(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === room.buffer ? Buffer.copyBytesFrom(bytes) : bytes
}
