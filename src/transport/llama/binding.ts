import { ModelwireError } from '../../core/error.ts'

/** The types of the package, which costs nothing; its code is imported when the first model is. */
export type Binding = typeof import('node-llama-cpp')
export type Llama = import('node-llama-cpp').Llama
export type LlamaModel = import('node-llama-cpp').LlamaModel
export type Sequence = import('node-llama-cpp').LlamaContextSequence
export type Token = import('node-llama-cpp').Token
export type ChatWrapper = import('node-llama-cpp').ChatWrapper

/** What computes; `auto` takes the best that works here. */
export type Gpu = 'auto' | 'cuda' | 'vulkan' | 'metal' | 'cpu'
const gpus: readonly Gpu[] = ['auto', 'cuda', 'vulkan', 'metal', 'cpu']

const install = 'npm install node-llama-cpp@3.21.1'

let imported: Promise<Binding> | undefined

/** node-llama-cpp, an optional peer dependency. Throws `configuration` with the command that installs it. */
export function binding(): Promise<Binding> {
  imported ??= import('node-llama-cpp').catch((error: unknown) => {
    imported = undefined // it may be installed while we run
    throw new ModelwireError('configuration', 'node-llama-cpp is not installed: it runs models in this process', {
      hint: `run \`${install}\`; for a GPU its platform packages for CUDA or Vulkan come with it`,
      cause: error,
    })
  })
  return imported
}

/** The choice as it was written in an option or a variable. */
export function gpuOf(value: unknown): Gpu {
  const text = value === undefined || value === false ? 'auto' : String(value).toLowerCase()
  const known = gpus.find((gpu) => gpu === text)
  if (known !== undefined) return known
  throw new ModelwireError('configuration', `expected one of ${gpus.join(', ')} as \`gpu\`, got ${JSON.stringify(value)}`)
}

/**
 * The backend. `build: 'never'`: a binary that doesn't fit must be an error, not a compilation of half an hour. No bound on
 * threads here, because each context says how many it wants.
 */
export async function openLlama(gpu: Gpu): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await binding()
  try {
    return await getLlama({
      build: 'never',
      gpu: gpu === 'cpu' ? false : gpu,
      maxThreads: 0,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      logger: () => undefined, // what matters comes as an error; llama.cpp's own lines would go to the user's terminal
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    throw new ModelwireError('configuration', `llama.cpp can't work here with gpu: ${gpu} (${reason})`, {
      hint:
        gpu === 'cpu' || gpu === 'auto'
          ? `run \`${install}\` again on this machine, with optional packages on`
          : `install the driver and \`npm install @node-llama-cpp/${process.platform === 'win32' ? 'win' : 'linux'}-x64-${gpu}@3.21.1\`, or choose gpu: auto or cpu`,
      cause: error,
    })
  }
}
