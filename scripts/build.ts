// Builds dist/ from src/. The old folder goes first, so that no file of a deleted module is published. Then it writes what
// a process would else work out anew at each start: the bundled manifests, parsed, and the check against their schema.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import { writeCheck } from '../src/manifest/shape.ts'
import { dump } from '../src/manifest/snapshot.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
rmSync(`${root}dist`, { recursive: true, force: true })
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
chmodSync(`${root}dist/cli/main.js`, 0o755)

writeFileSync(`${root}dist/manifest/written-check.cjs`, writeCheck())
mkdirSync(`${root}dist/snapshots`)
const catalog = createCatalog({ paths: [bundledProtocols] })
for (const id of catalog.ids()) {
  const source = catalog.find(id)
  if (source) writeFileSync(`${root}dist/snapshots/${id}.json`, JSON.stringify(dump(source)))
}
