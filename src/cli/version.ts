import { readFileSync } from 'node:fs'

/** What `modelwire --version` prints. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string } // our own file
  return found
}
