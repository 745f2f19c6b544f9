/**
 * Replays recordings from the command line while a manifest is being written:
 * `node test/tools/walk.ts openai.chat [provider] [--all] [--protocols folder]` prints what differs.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { actualOf, differences } from '../../src/cli/compare.ts'
import { ModelwireError } from '../../src/core/error.ts'
import { createRegistry } from '../../src/client/registry.ts'
import { replay, type Replayed } from '../../src/client/replay.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'

const root = new URL('../../../shared/recordings/', import.meta.url)
const rows = parse(readFileSync(new URL('../recordings.yaml', import.meta.url), 'utf8')) as { api: string; provider?: string; use: string; wire?: string; operation: string }[]
const registry = createRegistry(createCatalog({ paths: [bundledProtocols] }))
const [api = '', only] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
const counts = { ok: 0, different: 0 }
for (const file of readdirSync(new URL(`${api}/`, root))) {
  const exchange = JSON.parse(readFileSync(new URL(`${api}/${file}`, root), 'utf8'))
  if (only !== undefined && exchange.provider !== only) continue
  const row = rows.find((r) => r.api === exchange.api && (r.provider === undefined || r.provider === exchange.provider))
  if (row === undefined) continue
  let replayed: Replayed | undefined
  let error: ModelwireError | undefined
  try {
    const operation = registry.operation(row.use, row.operation, exchange.request?.body?.model ?? '', row.wire)
    replayed = replay(exchange, operation, { provider: row.use, operation: row.operation })
  } catch (thrown) {
    if (!(thrown instanceof ModelwireError)) throw thrown
    error = thrown
  }
  const found = differences(exchange.expected, actualOf({ ...(replayed === undefined ? {} : { replayed }), ...(error === undefined ? {} : { error }) }))
  if (found.length === 0) counts.ok++
  else {
    counts.different++
    if (counts.different <= 12 || process.argv.includes('--all')) {
      console.log(`${exchange.provider}/${file} ${error === undefined ? '' : `${error.kind} ${error.message} ${error.where ?? ''}`}`)
      for (const { field, expected, actual } of found) console.log(`   ${field}: expected ${JSON.stringify(expected)?.slice(0, 200)}\n   ${' '.repeat(field.length)}       got ${JSON.stringify(actual)?.slice(0, 200)}`)
    }
  }
}
console.log(counts)
