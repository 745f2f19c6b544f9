// Takes away what nobody here uses. Part of `prepare`, which runs in the repository alone, never for a user of the published package.
import { globSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../node_modules/', import.meta.url))

// The bundled Node's C headers: 67 MB, and only addons that are compiled from source need them.
const unused = globSync('node-{linux,win}-*/include', { cwd: modules })

// The bindings for Arm declare x64 among their processors, so npm installs them on x64 machines too (32 MB).
if (process.arch === 'x64') unused.push(...globSync('@node-llama-cpp/linux-arm*', { cwd: modules }))

for (const path of unused) rmSync(`${modules}${path}`, { recursive: true, force: true })
