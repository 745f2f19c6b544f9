import type { CallOptions } from '../core/request.ts'
import type { TransportName } from '../manifest/compile.ts'
import { createBudget } from '../resilience/budget.ts'
import { createLimit, type Limit } from '../resilience/limit.ts'
import { createPolicy, type Policy } from '../resilience/policy.ts'
import { timeoutsOf } from '../resilience/timeout.ts'
import type { Transport } from '../wire/call.ts'
import { readSecrets } from './credentials.ts'
import { type Asked, attempt } from './exchange.ts'
import type { Live } from './live.ts'
import type { RuntimeOptions, Settings } from './options.ts'
import { named, type Planned } from './planning.ts'

/** Sends a planned call, again where that helps, and gives its reply with the first content there. */
export type Open = (planned: Planned, input: CallOptions) => Promise<Live>

export function createOpen(
  options: RuntimeOptions,
  env: Record<string, string | undefined>,
  transports: Readonly<Record<TransportName, Transport>>,
): Open {
  const policies = new Map<string, Policy>()
  const budgets = new Map<string, ReturnType<typeof createBudget>>()
  const limits = new Map<string, Limit>()

  /** Callers of the same provider, key and model share what a rate limit said; all of a provider share its retry budget. */
  const policyOf = (provider: string, model: string, own: Settings['own']): Policy => {
    const key = `${typeof own.apiKey} ${provider}/${model}` // a provider has no slash in its name
    let policy = policies.get(key)
    if (policy !== undefined) return policy
    let budget = budgets.get(provider)
    if (budget === undefined) budgets.set(provider, (budget = createBudget()))
    if (policies.size > 1_000) policies.clear() // model names may come from outside
    policies.set(key, (policy = createPolicy({ budget })))
    return policy
  }

  const limitOf = (provider: string, { inflight, queue = 1_000 }: Settings['limits']): Limit | undefined => {
    if (inflight === undefined) return undefined
    let limit = limits.get(provider)
    if (limit === undefined) limits.set(provider, (limit = createLimit(inflight, queue)))
    return limit
  }

  return (planned, input) => {
    const { operation, provider, model, normal, settings, prepared } = planned
    const streamed = normal.request.stream
    const timeouts = timeoutsOf(streamed, input.timeouts ?? {}, settings.timeouts, operation.timeouts)
    const span = input.timeout ?? (timeouts.total > 0 ? timeouts.total : undefined)
    if (input.timeout !== undefined) timeouts.total = input.timeout
    const endsAt = span === undefined ? undefined : performance.now() + span
    const { signal } = input
    const asked: Asked = {
      operation,
      provider,
      model,
      call: prepared.call,
      secrets: () => readSecrets(operation, provider, settings.own, env),
      request: normal.request,
      streamed,
      timeouts,
      endsAt,
      limits: settings.limits,
      choices: typeof normal.request.n === 'number' ? normal.request.n : 1,
      learn: options.learn ?? true,
    }
    const policy = policyOf(provider, model, settings.own)
    const rules = { retry: input.retry ?? settings.retry, endsAt }
    if (prepared.follow !== undefined)
      asked.job = { question: prepared.follow, again: (ask, inner) => policy.run(ask, inner, rules) }
    const send = (): Promise<Live> =>
      policy.run((n, inner) => attempt(asked, n, transports[operation.transport], inner), signal, rules)
    const limit = limitOf(provider, settings.limits)
    return (limit === undefined ? send() : limit(send, signal)).catch((error: unknown) => {
      throw named(error, provider, model)
    })
  }
}
