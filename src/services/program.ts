import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'

type Environment = Record<string, string | undefined>

/** The file that a program's name stands for, looked up as a shell would; nothing if there is none. */
export function findProgram(name: string, env: Environment): string | undefined {
  if (/[/\\]/.test(name)) return runs(resolve(name)) ? resolve(name) : undefined
  const endings = process.platform === 'win32' ? ['', ...(env.PATHEXT ?? '.EXE;.CMD;.BAT').split(';')] : ['']
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending))).find(runs)
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false // not there, or not for us: the next folder may have it
  }
}
