import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { Status } from './failure.ts'
import { webAddress } from './inputs.ts'
import { protocolsOption } from './session.ts'
import { extending, skeleton } from './skeleton.ts'
import { note, out, paint, paintNote } from './terminal.ts'
import { UsageError } from './usage.ts'

interface NewFlags {
  extends?: string
  base?: string
  protocols?: string[]
}

const examples = `
Examples:
  modelwire new acme --extends dialect --base https://api.acme.example/v1      speaks a wire that is known: four lines
  modelwire new acme                                                           has a wire of its own: a skeleton to fill in

\`modelwire providers\` lists the dialects. The file is ./<id>.yaml; one that exists stays as it is.`

export function newCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('new')
    .description('write a manifest to fill in')
    .argument('<id>', "the provider's id: lower case letters, digits, dots, dashes")
  command
    .option('--extends <id>', 'a dialect or provider that works the same')
    .option('--base <url>', 'the address of its API', webAddress)
  protocolsOption(command)
    .addHelpText('after', examples)
    .action(async (id: string, flags: NewFlags) => done(await create(id, flags)))
}

async function create(id: string, flags: NewFlags): Promise<Status> {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(id)) {
    throw new UsageError(
      `expected an id of lower case letters, digits, dots and dashes, got ${JSON.stringify(id)}`,
      'for example acme',
    )
  }
  const { bundledProtocols, createCatalog } = await import('../manifest/catalog.ts')
  const { didYouMean } = await import('../manifest/suggest.ts')
  const catalog = createCatalog({ paths: [bundledProtocols, ...(flags.protocols ?? [])], env: process.env })
  const parent = flags.extends
  if (parent !== undefined && !catalog.ids().includes(parent)) {
    throw new UsageError(
      `expected the id of a manifest to extend, got "${parent}"${didYouMean(parent, catalog.ids())}`,
      '`modelwire providers` lists them',
    )
  }
  const file = `${id}.yaml`
  if (existsSync(file)) {
    note(`${paintNote.red('error:')} ${file} exists already\n  ${paintNote.cyan('hint:')} choose another id, or another folder`)
    return 1
  }
  writeFileSync(file, (parent === undefined ? skeleton : extending)({ id, parent, base: flags.base, schema: schemaPath() }), {
    flag: 'wx',
  })
  tellNext(id, file)
  return 0
}

/** Where an editor finds the schema: by a path that stays right with the project; nothing when there is none. */
function schemaPath(): string | undefined {
  const path = relative(process.cwd(), fileURLToPath(new URL('../../schemas/manifest.schema.json', import.meta.url)))
  const installed = join('node_modules', 'modelwire', 'schemas', 'manifest.schema.json')
  if (existsSync(installed)) return `./${installed}`
  return path.startsWith('..') || dirname(path) === path ? undefined : `./${path}`
}

function tellNext(id: string, file: string): void {
  out(`${paint.green('wrote')} ${file}\n\nNext:\n`)
  out(`  edit it, then\n`)
  out(`  modelwire validate ${file}\n`)
  out(`  modelwire explain -m ${id}/model --protocols ${file} "Hello"\n`)
  out(`  modelwire chat -m ${id}/model --protocols ${file} "Hello"\n`)
}
