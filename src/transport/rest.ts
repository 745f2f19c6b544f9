/** What waits until the sockets have been looked at once more. */
export interface Resting {
  rested(): void
}

let now: Resting[] = []
let next: Resting[] = []
let turning = false

/**
 * Calls back after a full turn of the event loop. A server that closes a connection though it didn't say so does it right behind
 * its reply: whoever writes to it at once writes to a connection that is closed.
 */
export function rest(who: Resting): void {
  next.push(who)
  if (!turning) setImmediate(turn)
  turning = true
}

function turn(): void {
  const rested = now
  now = next
  next = []
  turning = now.length > 0
  if (turning) setImmediate(turn)
  for (const who of rested) who.rested()
}
