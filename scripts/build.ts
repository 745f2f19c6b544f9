// Builds dist/ from src/. The old folder goes first, so that nothing of a deleted module is published.
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { writeBuilt } from '../src/manifest/built.ts'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import { checkFiles, writeCheck } from '../src/manifest/shape.ts'
import { bundle } from './bundle.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = `${root}dist/`

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`], { stdio: 'inherit' })
await bundle(`${root}src/`, dist)
chmodSync(`${dist}cli/main.js`, 0o755)

// What a process would else work out anew at each start: the bundled manifests, resolved, and the check of those of users.
writeBuilt(`${dist}manifests`, bundledProtocols, createCatalog({ paths: [bundledProtocols] }))
writeFileSync(`${dist}${checkFiles.manifest}`, writeCheck('manifest'))
writeFileSync(`${dist}${checkFiles.model}`, writeCheck('model'))
writeFileSync(`${dist}${checkFiles.task}`, writeCheck('task'))
