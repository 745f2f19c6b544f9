import { statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Catalog } from '../manifest/catalog.ts'
import type { Problem } from '../manifest/validate.ts'
import { isModelwireError, type Status } from './failure.ts'
import { protocolsOption } from './session.ts'
import { near, note, out, paint, paintNote, safe } from './terminal.ts'

const examples = `
Examples:
  modelwire validate                        all manifests that are known
  modelwire validate acme.yaml
  modelwire validate ./protocols
  modelwire validate acme                   by its id

Each mistake is a line: file:line:column: what was expected, what came. Exit status 1 if there is any.`

export function validateCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('validate')
    .description('find every mistake in manifests')
    .argument('[file|folder|id...]', 'what to look at; all manifests when absent')
  protocolsOption(command)
    .addHelpText('after', examples)
    .action(async (names: string[], flags: { protocols?: string[] }) => done(await validate(names, flags.protocols ?? [])))
}

async function validate(names: string[], protocols: string[]): Promise<Status> {
  const { bundledProtocols, createCatalog } = await import('../manifest/catalog.ts')
  const { checkIds, checkManifest } = await import('../manifest/check.ts')
  const { readText } = await import('../manifest/load.ts')
  const { checkModel } = await import('../manifest/model.ts')
  const folders = names.filter((name) => kindOf(name) === 'folder').map((path) => resolve(path))
  const paths = [...new Set([bundledProtocols, ...protocols.map((path) => resolve(path)), ...folders])]
  const catalog = createCatalog({ paths, check: false, env: process.env })
  const all = async (): Promise<Chosen> => ({ files: [...catalog.files(), ...(await othersBeside(paths))], problems: [] })
  const { files, problems } = names.length === 0 ? await all() : await chosen(names, catalog)
  const { checkTask } = await import('../index.ts')
  for (const file of files) {
    if (describesTask(file, readText)) problems.push(...checkTask(file))
    else problems.push(...(describesModel(file, readText) ? checkModel(file) : checkManifest(file, catalog)))
  }
  for (const folder of folders) problems.push(...checkIds(folder))
  return tellAll(problems, files)
}

type Chosen = { files: string[]; problems: Problem[] }

async function chosen(names: string[], catalog: Catalog): Promise<Chosen> {
  const { createLayer } = await import('../manifest/layer.ts')
  const { didYouMean } = await import('../manifest/suggest.ts')
  const made: Chosen = { files: [], problems: [] }
  for (const name of names) {
    const kind = kindOf(name)
    const byId = kind === undefined ? catalog.file(name) : undefined
    const inside = kind === 'folder' ? [...createLayer(name, false).files(), ...(await othersBeside([name]))] : []
    if (kind === 'folder' && inside.length === 0)
      made.problems.push({ where: undefined, message: `expected manifests (*.yaml) in "${name}", got none`, severity: 'error' })
    else if (kind === 'folder') made.files.push(...inside)
    else if (kind === 'file') made.files.push(resolve(name))
    else if (byId !== undefined) made.files.push(byId)
    else {
      const message = `expected a file, a folder or the id of a manifest, got "${name}"${didYouMean(name, catalog.ids())}`
      made.problems.push({ where: undefined, message, hint: '`modelwire providers` lists the ids', severity: 'error' })
    }
  }
  return made
}

/** The manifests of models and of tasks in the folders that those of providers have for them. */
async function othersBeside(paths: readonly string[]): Promise<string[]> {
  const { createLayer } = await import('../manifest/layer.ts')
  return paths
    .flatMap((path) => [join(path, 'models'), join(path, 'tasks')])
    .filter((path) => kindOf(path) === 'folder')
    .flatMap((path) => createLayer(path, false).files())
}

/** By what only a task has; one that has lost it, by its folder. */
function describesTask(file: string, readText: (file: string) => string): boolean {
  if (basename(dirname(file)) === 'tasks') return true
  try {
    const text = readText(file)
    return /^input:/m.test(text) && /^output:/m.test(text)
  } catch (error) {
    if (!isModelwireError(error)) throw error
    return false // the check of manifests tells why it can't be read
  }
}

/** By what no manifest of a provider has; one without either, by its folder. */
function describesModel(file: string, readText: (file: string) => string): boolean {
  const inModels = basename(dirname(file)) === 'models'
  try {
    const text = readText(file)
    return /^file:/m.test(text) || (inModels && !/^(extends|base|operations|transport):/m.test(text))
  } catch (error) {
    if (!isModelwireError(error)) throw error
    return inModels // its check tells why it can't be read
  }
}

function kindOf(name: string): 'file' | 'folder' | undefined {
  const stats = statSync(name, { throwIfNoEntry: false })
  return stats?.isDirectory() === true ? 'folder' : stats?.isFile() === true ? 'file' : undefined
}

function tellAll(problems: Problem[], files: string[]): Status {
  const lines = new Map(problems.map((problem) => [lineOf(problem), problem])) // two manifests may inherit one mistake
  for (const line of lines.keys()) out(line)
  const told = [...lines.values()]
  const errors = told.filter(({ severity }) => severity === 'error').length
  const warnings = told.length - errors
  const counts = [...(errors === 0 ? [] : [plural(errors, 'mistake')]), ...(warnings === 0 ? [] : [plural(warnings, 'warning')])]
  const where = files.length === 0 ? '' : ` in ${plural(files.length, 'manifest')}`
  if (errors > 0) note(`${paintNote.red(counts.join(' and '))}${where}`)
  else out(`${paint.green('ok')} ${['no mistakes', ...counts].join(', ')}${where}\n`)
  return errors > 0 ? 1 : 0
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function lineOf({ where, message, hint, severity }: Problem): string {
  const place = where === undefined ? '' : `${paint.bold(safe(`${near(where.file)}:${where.line}:${where.column}:`))} `
  const kind = severity === 'warning' ? `${paint.yellow('warning:')} ` : where === undefined ? `${paint.red('error:')} ` : ''
  return `${place}${kind}${safe(message)}\n${hint === undefined ? '' : `  ${paint.cyan('hint:')} ${safe(hint)}\n`}`
}
