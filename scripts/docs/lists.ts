import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { errorKinds, ModelwireError } from '../../src/core/error.ts'
import { code, table } from './markdown.ts'

/** Every kind of error, with what it says about trying again. */
export function errorTable(): string {
  const rows = errorKinds.map((kind) => {
    const { code: number, retryable, fallbackable } = new ModelwireError(kind, '')
    return [code(kind), number, retryable ? 'yes' : 'no', fallbackable ? 'yes' : 'no']
  })
  return table(['kind', 'code', 'retryable', 'fallbackable'], rows)
}

/** The recordings that are read otherwise than they say. */
export function differencesTable(): string {
  const file = new URL('../../test/known-differences.yaml', import.meta.url)
  const known = parse(readFileSync(file, 'utf8')) as { id: string; reason: string }[] // our own file, checked by the walker
  if (known.length === 0) return 'None at present.'
  const reasons = Map.groupBy(known, ({ reason }) => reason.trim())
  return [...reasons].map(([reason, list]) => `- ${reason}\n${list.map(({ id }) => `  - ${code(id)}`).join('\n')}`).join('\n')
}
