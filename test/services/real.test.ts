import { mkdtempSync, rmSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createRuntime } from '../../src/index.ts'
import { freePort } from '../../src/services/port.ts'
import { lives } from '../tools/engine.ts'
import { scriptedModel } from '../tools/gguf.ts'
import { available } from '../tools/llama-server.ts'

const { command, missing } = await available()

/** A folder for the PATH with the real server under its name, and a model of ours. */
function place(): { folder: string; model: string } {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-real-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [file = '', ...args] = command ?? []
  const program = join(folder, 'llama-server')
  if (args.length === 0) symlinkSync(file, program)
  else writeFileSync(program, `#!/bin/sh\nexec ${[file, ...args].map((word) => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(program, 0o755)
  const model = join(folder, 'model.gguf')
  writeFileSync(model, scriptedModel('Hello from a real server.'))
  return { folder, model }
}

const small = ['-t', '1', '-tb', '1', '-c', '2048', '-np', '1', '--jinja', '--no-webui', '--offline']

it.skipIf(missing !== undefined)('a real llama-server is started, asked and stopped by its bundled manifest', async () => {
  const { folder, model } = place()
  const mw = createRuntime({ env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, GGML_NO_BACKTRACE: '1' } })
  onTestFinished(() => mw.close())
  const status = await mw.startService('llama-server', { model, args: small, way: 'native', port: await freePort() })
  expect(status).toMatchObject({ running: true, healthy: true, managed: true, how: 'native', keyed: true })
  const reply = await mw.chat({ model: 'llama-server/any', prompt: 'Hello', temperature: 0, maxTokens: 20 })
  expect(reply.text).toContain('Hello from a real server.')
  const stranger = await fetch(`${status.url}/v1/chat/completions`, { method: 'POST', body: '{}' })
  expect(stranger.status).toBe(401)
  expect((await mw.serviceLogs('llama-server')).length).toBeGreaterThan(3)
  await mw.stopService('llama-server')
  expect(lives(status.pid ?? 0)).toBe(false)
})

it.skipIf(missing !== undefined)('a real llama-server with a broken model ends with its own words', async () => {
  const { folder, model } = place()
  writeFileSync(model, 'this is no model')
  const mw = createRuntime({ env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, GGML_NO_BACKTRACE: '1' } })
  onTestFinished(() => mw.close())
  const error: unknown = await mw
    .startService('llama-server', { model, args: small, way: 'native', port: await freePort() })
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ kind: 'server_error', message: expect.stringMatching(/model/i) })
})
