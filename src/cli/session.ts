import type { Command } from 'commander'
import type { ProviderOptions, Runtime, RuntimeOptions } from '../index.ts'
import { several, webAddress } from './inputs.ts'
import { UsageError } from './usage.ts'

/** What every command that calls somebody takes. */
export interface SessionFlags {
  protocols?: string[]
  baseUrl?: string
  strict?: boolean
}

export function protocolsOption(command: Command): Command {
  return command.option('--protocols <path>', 'a folder or file with more manifests (may be repeated)', several)
}

export function modelOption(command: Command): Command {
  return command.option('-m, --model <provider/model>', 'the model to call (or MODELWIRE_MODEL)')
}

export function addressOption(command: Command): Command {
  return command.option('--base-url <url>', "call this address instead of the manifest's", webAddress)
}

/** The model that was asked for. Throws UsageError when none was, or it isn't `provider/model`. */
export function modelOf(flags: { model?: string }): string {
  const model = flags.model ?? process.env.MODELWIRE_MODEL
  if (model === undefined || model === '') {
    throw new UsageError(
      'no model was named',
      'pass -m provider/model, or set MODELWIRE_MODEL; `modelwire providers` lists the providers',
    )
  }
  const at = model.indexOf('/')
  if (at > 0 && at < model.length - 1) return model
  throw new UsageError(
    `expected a model as provider/model, got ${JSON.stringify(model)}`,
    '`modelwire providers` lists the providers, `modelwire models list <provider>` its models',
  )
}

export function providerOf(model: string): string {
  return model.slice(0, Math.max(0, model.indexOf('/')))
}

/** The runtime is loaded here and nowhere else, so that help, `new` and `validate` don't wait for it. */
export async function openRuntime(flags: SessionFlags, provider?: string): Promise<Runtime> {
  const { createRuntime } = await import('../index.ts')
  const own: ProviderOptions = flags.baseUrl === undefined ? {} : { baseUrl: flags.baseUrl }
  const options: RuntimeOptions = {
    ...(flags.protocols === undefined ? {} : { protocols: flags.protocols }),
    ...(flags.strict === undefined ? {} : { strict: flags.strict }),
    ...(provider === undefined ? {} : { providers: { [provider]: own } }),
  }
  return createRuntime(options)
}

/** Ctrl-C ends what is under way; a second one ends the command at once. */
export function interruptible(): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', interrupt)
  return { signal: controller.signal, stop: () => process.off('SIGINT', interrupt) }
}
