import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { scratch } from '../../tools/onnx-models.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const script = `
import { createOnnxEngine } from './src/transport/onnx/engine.ts'
const engine = createOnnxEngine(() => Promise.reject(new Error('never asked for')))
const ask = async () => {
  try {
    const reply = await engine.call({ method: 'RUN', url: 'embed', headers: {}, body: { model: 'm', input: 'a' } }, AbortSignal.timeout(10_000))
    for await (const _ of reply.body);
    return 'worked'
  } catch (error) {
    return { kind: error.kind, message: error.message, hint: error.hint }
  }
}
console.log(JSON.stringify({ error: await ask(), health: await engine.health() }))
await engine.close()
`

/** A folder with the engine's sources and what is given as its onnxruntime-node, in which a Node of its own runs. */
function ask(packaged?: string): { error: unknown; health: unknown } {
  const folder = scratch({ 'package.json': '{"type":"module"}', 'ask.ts': script })
  for (const part of ['src/core', 'src/wire', 'src/transport/onnx', 'node_modules/@huggingface/tokenizers'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  if (packaged !== undefined) {
    mkdirSync(join(folder, 'node_modules/onnxruntime-node'))
    writeFileSync(join(folder, 'node_modules/onnxruntime-node/index.js'), packaged)
  }
  const { stdout, stderr } = spawnSync(process.execPath, ['ask.ts'], { cwd: folder, encoding: 'utf8', timeout: 30_000 })
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

it('without onnxruntime-node the error says how to install it, and health says that it is missing', () => {
  const { error, health } = ask()
  expect(error).toEqual({
    kind: 'configuration',
    message: "models of this form need the package onnxruntime-node, which isn't installed",
    hint: expect.stringContaining('npm install --ignore-scripts onnxruntime-node'),
  })
  expect(health).toMatchObject({ available: false, error: expect.stringContaining("isn't installed"), models: [] })
})

it('an onnxruntime-node that does not load says why', () => {
  const { error, health } = ask("throw new Error('GLIBC_9.9 not found')")
  expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('GLIBC_9.9 not found') })
  expect(health).toMatchObject({ available: false })
})

it('something else of that name is refused', () => {
  expect(ask('module.exports = { hello: 1 }').error).toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining("isn't ONNX Runtime"),
  })
})
