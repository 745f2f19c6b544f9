import type { LocalModel, Runtime } from '../index.ts'
import { bytesText } from './bytes.ts'
import type { Status } from './failure.ts'
import { callName, localName } from './local.ts'
import { interruptible } from './session.ts'
import { near, out, outJson, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

export interface RemoveFlags {
  json?: boolean
  /** Don't ask. */
  yes?: boolean
}

/** Deletes the files of a model on this machine; its manifest stays, so that it can be pulled again. */
export async function removeFromDisk(mw: Runtime, model: LocalModel, named: string, flags: RemoveFlags): Promise<Status> {
  const { signal, stop } = interruptible()
  try {
    const size = model.size === undefined ? '' : ` (${bytesText(model.size)})`
    if (!(await agreed(`delete the files of ${callName(model)}${size}?`, flags, signal))) return 1
    const files = await mw.models.remove(localName(named))
    if (flags.json === true) outJson({ model: callName(model), removed: files })
    else for (const file of files) out(`${safe(near(file))} is deleted\n`)
    return 0
  } finally {
    stop()
  }
}

/** Has the engine of `provider/model` delete what it fetched. */
export async function removeFromEngine(mw: Runtime, model: string, flags: RemoveFlags): Promise<Status> {
  const { signal, stop } = interruptible()
  try {
    if (!(await agreed(`have ${safe(model)} deleted?`, flags, signal))) return 1
    const result = await mw.removeModel(model, { signal })
    if (flags.json === true) outJson(result)
    else out(`${safe(model)} is deleted\n`)
    return 0
  } finally {
    stop()
  }
}

/** What is gone is gone: somebody has to say so. */
async function agreed(question: string, flags: RemoveFlags, signal: AbortSignal): Promise<boolean> {
  if (flags.yes === true) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError('nobody is there to be asked whether the files may be deleted', 'pass --yes')
  }
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    lines.on('SIGINT', () => process.emit('SIGINT'))
    const answer = await lines.question(`${safe(question)} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}
