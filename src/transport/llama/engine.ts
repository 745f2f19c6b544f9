import { ModelwireError } from '../../core/error.ts'
import type { Call, Reply } from '../../wire/call.ts'
import type { Device, Engine, EngineHealth, Locate, LocatedModel } from '../../wire/engine.ts'
import { type Emit, frameReply } from '../frames.ts'
import { type Llama, openLlama } from './binding.ts'
import type { ChatBody, EmbedBody, LoadOptions, RerankBody } from './body.ts'
import { chat } from './chat.ts'
import { createResidents } from './residents.ts'
import { embed, rerank } from './vectors.ts'
import type { Resident } from './resident.ts'

/** What `run` may name; each takes a body of its own (body.ts). */
type Work = (body: object, resident: Resident, emit: Emit, signal: AbortSignal) => Promise<void>
const works: Record<string, Work> = {
  chat: (body, ...rest) => chat(body as ChatBody, ...rest), // the manifest's templates make them so
  embed: (body, ...rest) => embed(body as EmbedBody, ...rest),
  rerank: (body, ...rest) => rerank(body as RerankBody, ...rest),
}
const others = ['load', 'unload']

/** llama.cpp in this process. Nothing is imported or loaded before a call needs it. */
export function createLlamaEngine(locate: Locate): Engine {
  const residents = createResidents()

  /** The model is loaded and waited for inside the reply, so that the reply itself comes at once. */
  function call({ url, body }: Call, signal: AbortSignal): Promise<Reply> {
    const asked = (typeof body === 'object' && 'model' in body ? body : { model: '' }) as { model: string; load?: LoadOptions }
    const work = works[url]
    if (work === undefined && !others.includes(url)) {
      throw new ModelwireError(
        'manifest',
        `expected \`run\` to be one of ${[...Object.keys(works), ...others].join(', ')}, got "${url}"`,
      )
    }
    return Promise.resolve(
      frameReply(async (emit, ends) => {
        if (url === 'unload') return emit({ unloaded: await residents.unload((await locate(asked.model)).id) })
        const located = await locate(asked.model)
        if (work === undefined) {
          await residents.load(located, asked.load ?? {}, ends, (fraction) => emit({ progress: { status: 'loading', fraction } }))
          return emit({ loaded: true })
        }
        const lease = await residents.use(located, asked.load ?? {}, ends)
        try {
          await work({ ...samplingOf(located), ...asked }, lease.resident, emit, ends)
        } finally {
          lease.release()
        }
      }, signal),
    )
  }

  return {
    call,
    async health() {
      const models = residents.list()
      let own: Llama | undefined
      try {
        const llama = (await residents.backend()) ?? (own = await openLlama('auto'))
        return { available: true, backend: llama.gpu === false ? 'cpu' : llama.gpu, devices: await devicesOf(llama), models }
      } catch (error) {
        if (!(error instanceof ModelwireError)) throw error
        return { available: false, error: error.message, devices: [], models } satisfies EngineHealth
      } finally {
        await own?.dispose()
      }
    },
    close: () => residents.close(),
  }
}

/** How a model wants to be sampled where a call doesn't say, by its own manifest. */
function samplingOf({ config }: LocatedModel): object {
  return typeof config.sampling === 'object' && config.sampling !== null ? config.sampling : {}
}

async function devicesOf(llama: Llama): Promise<Device[]> {
  const cpu: Device = { name: `CPU (${llama.cpuMathCores} cores)`, kind: 'cpu', freeBytes: process.availableMemory() }
  if (llama.gpu === false) return [cpu]
  const [names, { total, free }] = await Promise.all([llama.getGpuDeviceNames(), llama.getVramState()])
  // llama.cpp tells the memory of all cards in one sum.
  const gpus = names.map((name): Device =>
    names.length === 1 ? { name, kind: 'gpu', totalBytes: total, freeBytes: free } : { name, kind: 'gpu' },
  )
  return [...gpus, cpu]
}
