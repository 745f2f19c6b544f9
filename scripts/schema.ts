// Writes src/manifest/schema.ts from schemas/manifest.schema.json; with --check it only says whether the two agree.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileFromFile } from 'json-schema-to-typescript'

const source = fileURLToPath(new URL('../schemas/manifest.schema.json', import.meta.url))
const target = fileURLToPath(new URL('../src/manifest/schema.ts', import.meta.url))

const types = await compileFromFile(source, {
  bannerComment: '// Written by `npm run schema` from schemas/manifest.schema.json. Edit the schema, not this file.',
  format: true,
  style: { semi: false, singleQuote: true, printWidth: 132, trailingComma: 'all' },
  unknownAny: true,
})

if (!process.argv.includes('--check')) {
  writeFileSync(target, types)
} else if (readFileSync(target, 'utf8') !== types) {
  console.error(
    'src/manifest/schema.ts does not agree with schemas/manifest.schema.json: run `npm run schema`, then commit the file.',
  )
  process.exitCode = 1
}
