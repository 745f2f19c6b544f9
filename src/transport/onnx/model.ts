import { ModelwireError } from '../../core/error.ts'
import { strangeInputs } from './inputs.ts'
import type { OnnxRuntime, Session } from './packages.ts'
import { readTokenizer, type TextTokenizer } from './tokenizer.ts'

/** A model in memory. */
export interface Model {
  file: string
  runtime: OnnxRuntime
  session: Session
  tokenizer: TextTokenizer
  /** What computes. */
  backend: string
  /** Why it isn't something faster. */
  note?: string
}

/** What a model is made of; two calls with the same share it. */
export interface Source {
  file: string
  tokenizer: string
  tokenizerConfig: string | undefined
  /** As it was asked for: may be `auto`. */
  backend: string
  threads: number | undefined
}

export async function loadModel(runtime: OnnxRuntime, source: Source): Promise<Model> {
  const tokenizer = await readTokenizer(source.tokenizer, source.tokenizerConfig)
  const { session, ...opened } = await open(runtime, source)
  const strange = strangeInputs(session.inputNames)
  if (strange.length > 0 || !session.inputNames.includes('input_ids')) {
    await session.release()
    throw new ModelwireError(
      'configuration',
      strange.length > 0
        ? `the graph ${source.file} wants inputs that nothing is known about: ${strange.slice(0, 5).join(', ')}`
        : `the graph ${source.file} has no input called input_ids`,
      { hint: 'use an export of the model for feature extraction, or for text classification to rerank' },
    )
  }
  return { file: source.file, runtime, session, tokenizer, ...opened }
}

export async function freeModel({ session }: Model): Promise<void> {
  await session.release()
}

interface Opened {
  session: Session
  backend: string
  note?: string
}

async function open(runtime: OnnxRuntime, { file, backend, threads }: Source): Promise<Opened> {
  const known = runtime.listSupportedBackends?.().map(({ name }) => name) ?? ['cpu']
  const create = (name: string): Promise<Session> =>
    runtime.InferenceSession.create(file, {
      executionProviders: [name],
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    })
  if (backend !== 'auto' && !known.includes(backend)) {
    throw new ModelwireError('configuration', `this ONNX Runtime doesn't know the backend "${backend}"`, {
      hint: `it knows ${known.join(', ')}; or leave it at auto`,
    })
  }
  if (backend === 'cpu') return { session: await create('cpu').catch(fail(file)), backend }
  if (backend !== 'auto') return { session: await create(backend).catch(fail(file, backend)), backend }
  if (!known.includes('cuda')) return { session: await create('cpu').catch(fail(file)), backend: 'cpu' }
  try {
    return { session: await create('cuda'), backend: 'cuda' }
  } catch (error) {
    // If it is the file that is broken, the processor says so too.
    return { session: await create('cpu').catch(fail(file)), backend: 'cpu', note: `cuda can't be used here: ${reasonOf(error)}` }
  }
}

/** Broken files and missing libraries come as plain errors; only their words tell them apart. */
function fail(file: string, backend?: string): (error: unknown) => never {
  return (error) => {
    const reason = reasonOf(error)
    if (backend !== undefined && !reason.startsWith('Load model')) {
      throw new ModelwireError('configuration', `the backend "${backend}" can't be used here: ${reason}`, {
        hint: 'install its libraries (for cuda: npm install onnxruntime-node without --ignore-scripts, a driver, CUDA and cuDNN), or use cpu',
        cause: error,
      })
    }
    throw new ModelwireError('configuration', `${file} isn't an ONNX model that can be used: ${reason}`, {
      hint: 'download it again; a model whose weights stand in a file of their own needs that file beside it',
      cause: error,
    })
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().slice(0, 500)
}
