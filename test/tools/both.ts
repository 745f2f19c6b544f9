import { createRuntime, type Runtime } from '../../src/index.ts'
import { available, startLlamaServer } from './llama-server.ts'

/** A model that can be asked, in this process or on a server that we didn't write. */
export interface Target {
  mw: Runtime
  /** As requests name it. */
  model: string
  close(): Promise<void>
}

export interface Asked {
  /** How it is named in this process, where that isn't its file, and how it is loaded there. */
  model?: string
  settings?: Record<string, unknown>
  file: string
  /** Tokens of all conversations of the server together, and how many it holds. */
  context: number
  slots: number
}

interface Place {
  name: string
  open(): Promise<Target>
  skipped: boolean
}

/** The two places where a model is asked the same, with the same expectations. */
export async function both(asked: Asked): Promise<Place[]> {
  const { missing } = await available()
  return [
    { name: 'in this process', open: () => inProcess(asked), skipped: false },
    {
      name: missing === undefined ? 'on llama-server' : `on llama-server (skipped: ${missing})`,
      open: () => onServer(asked),
      skipped: missing !== undefined,
    },
  ]
}

async function inProcess({ file, model = file, settings }: Asked): Promise<Target> {
  const mw = createRuntime({ retry: false, providers: { llama: { gpu: 'cpu', ...settings } } })
  return { mw, model: `llama/${model}`, close: () => mw.close() }
}

async function onServer({ file, context, slots }: Asked): Promise<Target> {
  const server = await startLlamaServer({ model: file, context, slots })
  const mw = createRuntime({ retry: false, providers: { 'llama-server': { apiKey: server.apiKey, baseUrl: `${server.url}/v1` } } })
  const close = async (): Promise<void> => {
    await mw.close()
    await server.stop()
  }
  return { mw, model: `llama-server/${server.model}`, close }
}
