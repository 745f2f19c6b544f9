// Packs what `npm publish` would send and uses it from an empty folder, as a stranger would.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'modelwire-package-'))

/** Runs one command line to its end; a failure ends the script, with the command's own words above it. */
function run(cwd: string, line: string): string {
  console.log(`> ${line}`)
  const [command = '', ...args] = line.split(' ')
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
}

const consumer = `
import { createRequire } from 'node:module'
import { createRuntime, ModelwireError } from 'modelwire'
import schema from 'modelwire/schemas/manifest.schema.json' with { type: 'json' }
const runtime = createRuntime()
const { fields } = runtime.explain({ model: 'openai/m', messages: [{ role: 'user', content: 'Hello' }] })
if (!fields.some(({ where }) => where.includes('.yaml:'))) throw new Error('no field says which line made it')
const loaded = Object.keys(createRequire(import.meta.url).cache)
if (loaded.some((path) => path.split(/[\\\\/]/).includes('yaml')))
  throw new Error('a bundled manifest was read as YAML: what the build made of it is missing or stale')
await runtime.close()
if (typeof ModelwireError !== 'function' || typeof schema !== 'object') throw new Error('the package misses a public name')
`

try {
  run(root, `npm pack --silent --pack-destination ${folder}`)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`)

  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n')
  run(folder, `npm install --no-audit --no-fund --ignore-scripts --loglevel error ./${tarball}`)
  const help = run(folder, 'npx --no-install modelwire --help')
  if (!/usage/i.test(help)) throw new Error(`modelwire --help printed no usage:\n${help}`)
  run(folder, 'npx --no-install modelwire validate')
  writeFileSync(join(folder, 'use.ts'), consumer)
  run(folder, 'node use.ts')
  const types = `--noEmit --strict --module nodenext --target es2024 --types node --typeRoots ${root}node_modules/@types`
  run(folder, `${root}node_modules/.bin/tsc ${types} use.ts`)
  console.log('The package installs and works from an empty folder.')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
