// Builds dist/ from src/. The old folder goes first, so that nothing of a deleted module is published.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import { writeCheck } from '../src/manifest/shape.ts'
import { dump } from '../src/manifest/snapshot.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist/`
rmSync(dist, { recursive: true, force: true })

// The types, and whether they are right.
execFileSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`, '--emitDeclarationOnly'],
  {
    stdio: 'inherit',
  },
)

// The code in few files, for each costs Node half a millisecond. They lie as deep as those of src, so that addresses
// relative to a module stay right; dependencies stay outside.
const bundle = await rolldown({
  input: { index: `${root}src/index.ts`, main: `${root}src/cli/main.ts` },
  platform: 'node',
  external: (id) => !id.startsWith('.') && !isAbsolute(id),
})
const library = { name: 'modelwire', test: /[\\/]src[\\/](?!cli|transport)/ } // else what the command imports late would be cut off
await bundle.write({ dir: `${dist}lib`, format: 'esm', chunkFileNames: '[name].js', codeSplitting: { groups: [library] } })
await bundle.close()
writeFileSync(`${dist}index.js`, "export * from './lib/index.js'\n")
writeFileSync(`${dist}cli/main.js`, "#!/usr/bin/env node\nimport '../lib/main.js'\n")
chmodSync(`${dist}cli/main.js`, 0o755)

// What a process would else work out anew at each start: the bundled manifests, parsed, and the check of those of users.
mkdirSync(`${dist}snapshots`)
const catalog = createCatalog({ paths: [bundledProtocols] })
for (const id of catalog.ids()) {
  const source = catalog.find(id)
  if (source) writeFileSync(`${dist}snapshots/${id}.json`, JSON.stringify(dump(source)))
}
writeFileSync(`${dist}check.cjs`, writeCheck())
