// Writes the types of manifests from their schemas; with --check it only says whether they agree.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const compiler = new URL('json-schema-to-typescript/dist/src/index.js', new URL('../tools/checks/node_modules/', import.meta.url))
if (!existsSync(compiler)) {
  console.error('json-schema-to-typescript is not installed: run `npm run checks:get` once, then this again.')
  process.exit(1)
}
// Imported by its place, since the root's own installation doesn't hold it; hence its type is written here.
const { compileFromFile } = (await import(compiler.href)) as {
  compileFromFile: (path: string, options: Record<string, unknown>) => Promise<string>
}

/** Each schema, and the file of its types. */
const written = {
  'schemas/manifest.schema.json': 'src/manifest/schema.ts',
  'schemas/model.schema.json': 'src/manifest/model-schema.ts',
}

for (const [source, target] of Object.entries(written)) {
  const path = fileURLToPath(new URL(`../${target}`, import.meta.url))
  const types = await compileFromFile(fileURLToPath(new URL(`../${source}`, import.meta.url)), {
    bannerComment: `// Written by \`npm run schema\` from ${source}. Edit the schema, not this file.`,
    format: true,
    style: { semi: false, singleQuote: true, printWidth: 132, trailingComma: 'all' },
    unknownAny: true,
  })
  if (!process.argv.includes('--check')) {
    writeFileSync(path, types)
  } else if (readFileSync(path, 'utf8') !== types) {
    console.error(`${target} does not agree with ${source}: run \`npm run schema\`, then commit the file.`)
    process.exitCode = 1
  }
}
