#!/usr/bin/env node
import process from 'node:process'

// Nothing is imported before the version is known to suffice: what needs a newer Node would fail with a stack of its own.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > 22 || (major === 22 && minor >= 19)) {
  const args = process.argv.slice(2)
  if (args.join(' ') === '--version') {
    const { version } = await import('./version.ts') // half of the time would go to what reads a command line
    process.stdout.write(`${version()}\n`)
  } else {
    const { run } = await import('./program.ts')
    process.exitCode = await run(args)
  }
} else {
  process.stderr.write(
    `error: modelwire needs Node 22.19 or newer, this is ${process.versions.node}\n  hint: https://nodejs.org has a newer one\n`,
  )
  process.exitCode = 1
}
