// Runs a tool of tools/checks: `node scripts/tool.ts <package> [arguments]`. It works in the folder where it was started.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const [name = '', ...args] = process.argv.slice(2)
const folder = fileURLToPath(new URL(`../tools/checks/node_modules/${name}/`, import.meta.url))

if (existsSync(`${folder}package.json`)) {
  // The shape that npm's registry holds every package to: one program as a string, or several by name.
  const { bin } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as { bin: string | Record<string, string> }
  const program = typeof bin === 'string' ? bin : Object.values(bin)[0]
  if (program === undefined) throw new Error(`${name} brings no program`)
  const { status, error } = spawnSync(process.execPath, [`${folder}${program}`, ...args], { stdio: 'inherit' })
  if (error) throw error
  process.exitCode = status ?? 1
} else {
  console.error(`${name} is not installed: run \`npm run checks:get\` once, then this again.`)
  process.exitCode = 1
}
