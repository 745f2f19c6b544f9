import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { rows } from '../../tools/onnx-engine.ts'
import { modelOf, scratch, tokenModel } from '../../tools/onnx-models.ts'
import { onnxRuntime } from '../../tools/onnx-runtime.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const script = (model: object): string => `
import { createOnnxEngine } from ${JSON.stringify(`${root}src/transport/onnx/engine.ts`)}
const engine = createOnnxEngine(async () => (${JSON.stringify(model)}), { load: () => import(${JSON.stringify(onnxRuntime)}) })
const reply = await engine.call({ method: 'RUN', url: 'embed', headers: {}, body: { model: 'm', input: 'blue' } }, new AbortController().signal)
for await (const frame of reply.body) if (frame.done) console.log('done')
`

it.skipIf(onnxRuntime === undefined)('a process that never closed the engine ends by itself, and quietly', () => {
  const folder = scratch({ 'run.mjs': script(modelOf(tokenModel(rows))) })
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: 'done\n', stderr: '' })
})
