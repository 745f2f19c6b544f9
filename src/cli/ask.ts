import type { ModelInfo, Runtime } from '../index.ts'

/** What a provider said when it was asked for its models, or why it didn't. */
export interface Listed {
  provider: string
  models: ModelInfo[]
  error?: unknown
}

export async function askModels(mw: Runtime, provider: string, signal: AbortSignal): Promise<Listed> {
  try {
    return { provider, models: await mw.listModels({ provider, signal }) }
  } catch (error) {
    return { provider, models: [], error }
  }
}
