import type { Event, Runtime } from '../index.ts'
import { bar } from './bar.ts'
import { type Status, tell } from './failure.ts'
import { interruptible } from './session.ts'
import { note, out, outJson, paintNote, safe } from './terminal.ts'

export interface PullFlags {
  /** Print the result as one JSON object. */
  json?: boolean
  /** Print each event as a line of JSON. */
  events?: boolean
}

/** Has the engine behind `provider/model` fetch it, and shows how far it is: a bar on a terminal, else a line a step. */
export async function pullFromEngine(mw: Runtime, model: string, flags: PullFlags = {}): Promise<Status> {
  const { signal, stop } = interruptible()
  const meter = createMeter(process.stderr.isTTY ? process.stderr : undefined)
  try {
    const stream = mw.pullModel(model, { signal })
    const result = stream.result
    result.catch(() => undefined) // the loop throws the same
    for await (const event of stream) {
      if (flags.events === true) outJson(event)
      else meter.hear(event)
    }
    meter.end()
    if (flags.json === true) outJson(await result)
    else if (flags.events !== true) out(`${safe(model)} is there\n`)
    return 0
  } catch (error) {
    meter.end()
    return tell(error)
  } finally {
    stop()
  }
}

const gap = 100 // milliseconds between two pictures

function createMeter(terminal: { write(text: string): unknown } | undefined): { hear(event: Event): void; end(): void } {
  let last: string | undefined
  let drawn = 0
  let open = false
  return {
    hear(event) {
      if (event.type === 'warning') return note(`${paintNote.yellow('warning:')} ${safe(`${event.field}: ${event.reason}`)}`)
      if (event.type !== 'progress') return
      const { status = last ?? '', fraction } = event
      const fresh = status !== last
      last = status
      if (terminal === undefined) {
        if (fresh) note(safe(status))
        return
      }
      if (!fresh && performance.now() - drawn < gap && fraction !== 1) return
      drawn = performance.now()
      open = true
      terminal.write(`\r\u001B[K${fraction === undefined ? '' : `${bar(fraction)} `}${paintNote.dim(safe(status))}`)
    },
    end() {
      if (open) terminal?.write('\n')
      open = false
    },
  }
}
