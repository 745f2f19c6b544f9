import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'

/** Where numbers come from; they mean little without it. */
export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  system: string
  node: string
}

export function machine(): Machine {
  return {
    cpu: (cpus()[0]?.model ?? process.arch).replace(/\((R|TM)\)/g, '').replace(/\s+/g, ' '),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: distribution() ?? `${type()} ${release()}`,
    node: process.version,
  }
}

function distribution(): string | undefined {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  } catch {
    return undefined // not Linux
  }
}
