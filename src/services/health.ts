import { ModelwireError } from '../core/error.ts'
import type { Health } from '../manifest/service.ts'
import { type Auth, authorize, type Secrets } from '../wire/auth.ts'
import { bytesOf, type Reply, type Transport } from '../wire/call.ts'

/** What one question for its health brought. */
export interface Asked {
  healthy: boolean
  /** Why not. */
  error?: string
}

const patience = 5_000
const largest = 1_048_576

/** Asks once. A refused connection is an answer like any other; only the caller's abort throws. */
export async function askHealth(
  transport: Transport,
  origin: string,
  health: Health,
  who: { auth: Auth; key: string | undefined },
  signal: AbortSignal,
): Promise<Asked> {
  const secrets: Secrets =
    who.auth.scheme === 'none' || who.key === undefined
      ? {}
      : Object.fromEntries(who.auth.secrets.map(({ name }) => [name, who.key ?? '']))
  const call = authorize(
    { method: 'GET', url: origin + health.path, headers: { accept: 'application/json, */*' } },
    who.auth,
    secrets,
  )
  const clock = AbortSignal.any([signal, AbortSignal.timeout(patience)])
  try {
    const connection = { proxy: false as const, connectTimeout: patience }
    const reply = await transport({ ...call, maxBytes: largest, connection }, clock)
    const body = await read(reply)
    if (reply.status !== health.status) return { healthy: false, error: `it answers with HTTP ${reply.status} at ${health.path}` }
    if (health.body === undefined || health.body(body)) return { healthy: true }
    return { healthy: false, error: `what answers at ${health.path} is something else` }
  } catch (error) {
    if (signal.aborted || !(error instanceof ModelwireError)) throw error
    return { healthy: false, error: clock.aborted ? 'it gives no answer in time' : error.message }
  }
}

async function read(reply: Reply): Promise<unknown> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytesOf(reply)) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text // a pattern may be on the text itself
  }
}
