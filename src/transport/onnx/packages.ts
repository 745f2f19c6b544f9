import { ModelwireError } from '../../core/error.ts'

/** What is used of onnxruntime-node. Its own types would have to be installed by everyone who compiles against Modelwire. */
export interface OnnxRuntime {
  InferenceSession: { create(file: string, options: SessionOptions): Promise<Session> }
  Tensor: new (type: string, data: BigInt64Array | Int32Array, shape: readonly number[]) => Tensor
  env: { logLevel?: string }
  listSupportedBackends?: () => readonly { name: string }[]
}

export interface SessionOptions {
  executionProviders: readonly string[]
  intraOpNumThreads?: number
  /** 4 is fatal only: what goes wrong is thrown, and needn't stand on standard error too. */
  logSeverityLevel: number
}

export interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  /** Older versions have none. */
  readonly inputMetadata?: readonly { name: string; type?: string }[]
  run(feeds: Record<string, Tensor>, outputs: readonly string[]): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

export interface Tensor {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: unknown
  dispose?(): void
}

const name = 'onnxruntime-node'
const install = `run \`npm install --ignore-scripts ${name}\` (without --ignore-scripts it also fetches what CUDA needs)`

/** Imports onnxruntime-node, which is installed only by those who want it. */
export async function loadRuntime(load: () => Promise<unknown> = () => import(name)): Promise<OnnxRuntime> {
  let loaded: unknown
  try {
    loaded = await load()
  } catch (error) {
    throw absent(error)
  }
  if (!isRuntime(loaded)) {
    throw new ModelwireError('configuration', `what is installed as ${name} isn't ONNX Runtime`, { hint: install })
  }
  loaded.env.logLevel = 'fatal' // else a missing CUDA library writes to standard error
  return loaded
}

function absent(error: unknown): ModelwireError {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
  const message = missing
    ? `models of this form need the package ${name}, which isn't installed`
    : `${name} is installed, but doesn't load: ${error instanceof Error ? error.message : String(error)}`
  return new ModelwireError('configuration', message, { hint: missing ? install : `reinstall it: ${install}`, cause: error })
}

function isRuntime(value: unknown): value is OnnxRuntime {
  if (typeof value !== 'object' || value === null) return false
  return 'InferenceSession' in value && 'Tensor' in value && 'env' in value && typeof value.env === 'object' && value.env !== null
}
