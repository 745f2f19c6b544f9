import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A suite of others that lies beside the checkout. Who has none skips its tests, and says so. */
export function sharedSuite<T>(path: string): T | undefined {
  const file = fileURLToPath(new URL(`../../../shared/suites/${path}`, import.meta.url))
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T // the suite's own shape
  console.log(`skipped: ../shared/suites/${path} isn't here`)
  return undefined
}
