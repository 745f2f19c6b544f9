import type { TransportName } from '../manifest/compile.ts'
import { createHttpTransport } from '../transport/http.ts'
import type { Transport } from '../wire/call.ts'
import type { Engine, Locate } from '../wire/engine.ts'

/** What carries the calls of one runtime. */
export interface Transports extends Readonly<Record<TransportName, Transport>> {
  /** Loads an engine's code. */
  engine(name: EngineName): Promise<Engine>
  close(): Promise<void>
}

export type EngineName = Exclude<TransportName, 'http'>

export const engineNames: readonly EngineName[] = ['llama', 'onnx']

/** An engine's code loads with its first call: who calls others over HTTP doesn't pay for it. */
const loaders: Record<EngineName, (locate: Locate) => Promise<Engine>> = {
  llama: async (locate) => (await import('../transport/llama/engine.ts')).createLlamaEngine(locate),
  onnx: async (locate) => (await import('../transport/onnx/engine.ts')).createOnnxEngine(locate),
}

export function createTransports(env: Record<string, string | undefined>, locate: Locate): Transports {
  const http = createHttpTransport({ env })
  const loaded = new Map<EngineName, Promise<Engine>>()

  const engine = (name: EngineName): Promise<Engine> => {
    let known = loaded.get(name)
    if (known === undefined) loaded.set(name, (known = loaders[name](locate)))
    return known
  }
  const through =
    (name: EngineName): Transport =>
    async (call, signal) =>
      (await engine(name)).call(call, signal)

  return {
    http,
    llama: through('llama'),
    onnx: through('onnx'),
    engine,
    async close() {
      const engines = await Promise.all(loaded.values())
      await Promise.all([http.close(), ...engines.map((made) => made.close())])
    },
  }
}
