// Writes the generated parts of docs/*.md; with --check it only says which of them differ.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { differencesTable, errorTable } from './docs/lists.ts'
import { fill } from './docs/markdown.ts'
import { modelKeyTable } from './docs/models.ts'
import { capabilityTables, dialectTable, providerTable } from './docs/providers.ts'
import { constructTable, eventTable, filterTable, keyReference, patternTable } from './docs/reference.ts'

/** Each page, and what stands between its markers. */
const pages: Record<string, Record<string, () => string>> = {
  'manifest.md': {
    constructs: constructTable,
    patterns: patternTable,
    filters: filterTable,
    events: eventTable,
    keys: keyReference,
  },
  'providers.md': { providers: providerTable, dialects: dialectTable, capabilities: capabilityTables },
  'models.md': { keys: modelKeyTable },
  'errors.md': { kinds: errorTable },
  'recordings.md': { differences: differencesTable },
}

const check = process.argv.includes('--check')
const stale: string[] = []
for (const [page, parts] of Object.entries(pages)) {
  const file = fileURLToPath(new URL(`../docs/${page}`, import.meta.url))
  if (!existsSync(file)) throw new Error(`docs/${page} is missing: its hand-written part holds the markers`)
  const before = readFileSync(file, 'utf8')
  const after = Object.entries(parts).reduce((text, [name, make]) => fill(text, name, make(), page), before)
  if (after === before) continue
  stale.push(`docs/${page}`)
  if (!check) writeFileSync(file, after)
}

if (check && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run \`npm run docs\`, then commit the files.`)
  process.exitCode = 1
}
