import { basename } from 'node:path'
import type { LocalModel, PullProgress, Runtime } from '../index.ts'
import { createPicture } from './bar.ts'
import { bytesText, waitText } from './bytes.ts'
import { type Status, tell } from './failure.ts'
import { localName } from './local.ts'
import type { PullFlags } from './pull.ts'
import { interruptible } from './session.ts'
import { near, note, out, outJson, safe } from './terminal.ts'

export interface DownloadFlags extends PullFlags {
  /** Accept files whose checksum nobody knows. */
  unchecked?: boolean
}

/** Fetches the files of a model to this machine, and shows how far it is. */
export async function pullToDisk(mw: Runtime, model: LocalModel, named: string, flags: DownloadFlags): Promise<Status> {
  if (model.present) return tellDone(model, `${model.id} is there already`, flags)
  const { signal, stop } = interruptible()
  const picture = createPicture(process.stderr)
  const hear = (progress: PullProgress): void => {
    if (flags.events === true) outJson(eventOf(progress))
    else picture.show(basename(progress.file), fractionOf(progress), details(progress))
  }
  try {
    const unchecked = flags.unchecked === true
    const pulled = await mw.models.pull(localName(named), { signal, onProgress: hear, unchecked })
    picture.end()
    return tellDone(pulled, `${pulled.id} is there`, flags)
  } catch (error) {
    picture.end()
    if (signal.aborted) note('interrupted; run it again to resume')
    return tell(error)
  } finally {
    stop()
  }
}

function tellDone(model: LocalModel, message: string, flags: DownloadFlags): Status {
  if (flags.json === true) outJson(model)
  else if (flags.events !== true) out(`${safe(`${message}: ${near(model.file)}`)}\n`)
  return 0
}

/** In the form of an engine's own progress: who reads one reads the other. */
function eventOf({ file, bytes, total, bytesPerSecond, etaMs }: PullProgress): Record<string, unknown> {
  return {
    type: 'progress',
    status: 'pulling',
    part: basename(file),
    completed: bytes,
    ...(total === undefined ? {} : { total, fraction: bytes / total }),
    bytesPerSecond,
    ...(etaMs === undefined ? {} : { etaMs }),
  }
}

function fractionOf({ bytes, total }: PullProgress): number | undefined {
  return total === undefined || total === 0 ? undefined : bytes / total
}

function details({ bytes, total, bytesPerSecond, etaMs }: PullProgress): string {
  const parts = [
    total === undefined ? bytesText(bytes) : `${bytesText(bytes)} of ${bytesText(total)}`,
    ...(bytesPerSecond === 0 ? [] : [`${bytesText(bytesPerSecond)}/s`]),
    ...(etaMs === undefined || etaMs === 0 ? [] : [`${waitText(etaMs)} left`]),
  ]
  return parts.join(', ')
}
