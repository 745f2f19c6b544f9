import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * The ONNX Runtime that tests use: the one that `MODELWIRE_TEST_ONNXRUNTIME` names (the folder that its `node_modules` stands
 * in), the one of `tools/onnx`, or the repository's own. Without any the tests that need it are skipped.
 */
function find(): string | undefined {
  const named = process.env['MODELWIRE_TEST_ONNXRUNTIME']
  const places =
    named === undefined ? [new URL('../../tools/onnx/', import.meta.url), import.meta.url] : [pathToFileURL(`${named}/`)]
  for (const place of places) {
    try {
      return pathToFileURL(createRequire(new URL('x.js', place)).resolve('onnxruntime-node')).href
    } catch (error) {
      if (named !== undefined) throw error
    }
  }
  return undefined
}

export const onnxRuntime = find()

export const loadOnnxRuntime = (): Promise<unknown> => import(/* @vite-ignore */ onnxRuntime ?? 'onnxruntime-node')

interface Runtime {
  InferenceSession: { create(...given: unknown[]): Promise<{ release(): Promise<void> }> }
}

/** The same, counting what is loaded and what is freed. */
export function countingRuntime(): { load: () => Promise<unknown>; opened: number; freed: number } {
  const counts = {
    opened: 0,
    freed: 0,
    async load() {
      const real = (await loadOnnxRuntime()) as Runtime
      const create = async (...given: unknown[]): Promise<object> => {
        const session = await real.InferenceSession.create(...given)
        counts.opened++
        const release = session.release.bind(session)
        session.release = () => {
          counts.freed++
          return release()
        }
        return session
      }
      return { ...real, InferenceSession: { create } }
    },
  }
  return counts
}
