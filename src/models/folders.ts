import { existsSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve, sep } from 'node:path'
import { ModelwireError } from '../core/error.ts'
import { bundledProtocols } from '../manifest/catalog.ts'

/** A folder that manifests of models, and models, are looked for in. */
export interface ModelFolder {
  path: string
  /** Whether it came with the package: nothing is written there, and nothing removed. */
  bundled: boolean
}

export interface FolderOptions {
  /** The folders of manifests; each may have a folder `models`. */
  protocols: readonly string[]
  /** MODELWIRE_MODELS names the user's folders of models, MODELWIRE_PROTOCOLS more of manifests. */
  env: Record<string, string | undefined>
  /** The user's home; that of the system when absent. */
  home?: string
}

/** Upper ones first: the user's own, then those beside manifests, then the package's. The first is where models are pulled to. */
export function modelFolders({ protocols, env, home = homedir() }: FolderOptions): ModelFolder[] {
  const named = listOf(env.MODELWIRE_MODELS).map((path) => resolve(untilde(path, home)))
  const own = named.length > 0 ? named : [join(home, '.modelwire', 'models')]
  const beside = [...listOf(env.MODELWIRE_PROTOCOLS), ...protocols]
    .map((path) => resolve(path))
    .toReversed()
    .map((path) => join(path, 'models'))
  const bundled = join(bundledProtocols, 'models')
  const paths = [...new Set([...own, ...beside.filter((path) => path !== bundled && isFolder(path)), bundled])]
  return paths.map((path) => ({ path, bundled: path === bundled }))
}

function listOf(text: string | undefined): string[] {
  return (text ?? '').split(delimiter).filter((path) => path !== '')
}

/** `~/x` as the shell would say it. */
export function untilde(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Whether a path, as it is written, lies in a folder. */
export function isInside(path: string, folder: string): boolean {
  return resolve(path).startsWith(resolve(folder) + sep)
}

/** Throws when a file, or the nearest folder above it that exists, lies outside `folder` by a symbolic link. */
export function confine(file: string, folder: string): void {
  if (!existsSync(folder)) return // nothing in it can be a link
  let existing = file
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  const root = realpathSync(folder)
  const real = realpathSync(existing)
  if (real === root || real.startsWith(root + sep)) return
  throw new ModelwireError('configuration', `${file} leads out of its folder ${folder} by a symbolic link`, {
    hint: 'name the file itself, as a path, or its folder in MODELWIRE_MODELS',
  })
}
