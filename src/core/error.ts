import type { ChatResult } from './result.ts'

/** What went wrong, in one vocabulary for all providers. */
export type ErrorKind =
  | 'invalid_request'
  | 'authentication'
  | 'permission_denied'
  | 'not_found'
  | 'request_too_large'
  | 'context_length'
  | 'rate_limited'
  | 'quota_exhausted'
  | 'content_filter'
  | 'server_error'
  | 'overloaded'
  | 'timeout'
  | 'conflict'
  | 'cancelled'
  | 'network'
  | 'truncated'
  | 'protocol'
  | 'unsupported'
  | 'manifest'
  | 'output'
  | 'configuration'

/** Which clock ran out. */
export type TimeoutPhase = 'connect' | 'firstByte' | 'firstEvent' | 'idle' | 'total'

/**
 * What each kind means for what to do next. `code` follows the numbering of the public AI-Protocol specification where
 * it has one (E1xxx the caller, E2xxx limits, E3xxx the server, E4xxx the conversation, E9999 the rest).
 */
const meanings: Record<ErrorKind, { code: string; retryable: boolean; fallbackable: boolean }> = {
  invalid_request: { code: 'E1001', retryable: false, fallbackable: false },
  authentication: { code: 'E1002', retryable: false, fallbackable: true },
  permission_denied: { code: 'E1003', retryable: false, fallbackable: true },
  not_found: { code: 'E1004', retryable: false, fallbackable: true },
  request_too_large: { code: 'E1005', retryable: false, fallbackable: false },
  context_length: { code: 'E1006', retryable: false, fallbackable: true },
  content_filter: { code: 'E1007', retryable: false, fallbackable: true },
  unsupported: { code: 'E1008', retryable: false, fallbackable: true },
  configuration: { code: 'E1009', retryable: false, fallbackable: true },
  manifest: { code: 'E1010', retryable: false, fallbackable: false },
  rate_limited: { code: 'E2001', retryable: true, fallbackable: true },
  quota_exhausted: { code: 'E2002', retryable: false, fallbackable: true },
  server_error: { code: 'E3001', retryable: true, fallbackable: true },
  overloaded: { code: 'E3002', retryable: true, fallbackable: true },
  timeout: { code: 'E3003', retryable: true, fallbackable: true },
  network: { code: 'E3004', retryable: true, fallbackable: true },
  truncated: { code: 'E3005', retryable: true, fallbackable: true },
  protocol: { code: 'E3006', retryable: false, fallbackable: true },
  conflict: { code: 'E4001', retryable: false, fallbackable: false },
  cancelled: { code: 'E4002', retryable: false, fallbackable: false },
  output: { code: 'E4003', retryable: false, fallbackable: false },
}

/** All kinds, for tables and checks. */
export const errorKinds = Object.keys(meanings) as ErrorKind[] // the table is exhaustive by its type

export interface ErrorDetails {
  status?: number | undefined
  provider?: string | undefined
  model?: string | undefined
  requestId?: string | undefined
  retryable?: boolean | undefined
  fallbackable?: boolean | undefined
  /** How long the provider asked to wait, in milliseconds. */
  retryAfterMs?: number | undefined
  attempts?: number | undefined
  phase?: TimeoutPhase | undefined
  partial?: ChatResult | undefined
  where?: string | undefined
  hint?: string | undefined
  cause?: unknown
}

/** What an error tells a log. */
const told = [
  'kind',
  'code',
  'message',
  'status',
  'provider',
  'model',
  'requestId',
  'retryable',
  'retryAfterMs',
  'attempts',
  'phase',
  'where',
  'hint',
  'partial',
] as const

/**
 * The one error that Modelwire throws. `message` holds the provider's own message where there is one; `hint` says in one
 * sentence what to do. No secret ever stands in any of its fields.
 */
export class ModelwireError extends Error {
  declare readonly kind: ErrorKind
  /** A stable code for logs (`E1001` …). */
  declare readonly code: string
  /** HTTP status, where there was a reply. */
  declare status?: number
  declare provider?: string
  declare model?: string
  declare requestId?: string
  /** Whether the same call may succeed when it is sent again. */
  declare retryable: boolean
  /** Whether another provider may succeed with it. */
  declare fallbackable: boolean
  declare retryAfterMs?: number
  /** How many times the call was sent. */
  declare attempts?: number
  /** For `timeout`: which clock ran out. */
  declare phase?: TimeoutPhase
  /** What had come before it broke. */
  declare partial?: ChatResult
  /** `file:line:column` for mistakes in a manifest. */
  declare where?: string
  declare hint?: string

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    const meaning = meanings[kind]
    this.kind = kind
    this.code = meaning.code
    this.retryable = meaning.retryable
    this.fallbackable = meaning.fallbackable
    this.add(details)
  }

  /** Fills in what is learnt further out (provider, attempts, partial); what is known already stays unless given again. */
  add(details: ErrorDetails): this {
    for (const [key, value] of Object.entries(details)) {
      if (value !== undefined && key !== 'cause') Object.assign(this, { [key]: value })
    }
    return this
  }

  override get name(): string {
    return 'ModelwireError'
  }

  /** A plain object for logs; the cause is left out because it may hold anything. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries(told.map((field) => [field, this[field]]))
  }
}
