import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { toy } from '../tools/engine.ts'

const service = `
  health: { get: /health, body: { engine: toy }, every: 20ms, within: 10s }
  ways:
    docker:
      compose:
        services:
          engine:
            image: example/toy:latest
            command: [{ $if: { file: "*" }, $then: [--model, "/models/{$.file}"] }, { $each: $.args }]
            ports: ["{$.host}:{$.port}:8080"]
            volumes: { $if: { folder: "*" }, $then: ["{$.folder}:/models:ro"] }
            environment: [ENGINE_KEY]
      env: { ENGINE_KEY: $.apiKey }
      stop: { grace: 2s }`

/**
 * A stand-in for the client of Docker: notes what it is called with, and runs the toy engine as the container on `up`.
 * What the document says of ports is all that it reads of it.
 */
const docker = `#!${process.execPath}
const fs = require('node:fs'), path = require('node:path'), { spawn } = require('node:child_process')
const folder = path.dirname(process.argv[1]), args = process.argv.slice(2), at = (name) => path.join(folder, name)
fs.appendFileSync(at('calls'), JSON.stringify(args) + '\\n')
const file = args[args.indexOf('-f') + 1], verb = args[args.indexOf('-f') + 2]
if (verb === 'up') {
  fs.copyFileSync(file, at('document'))
  fs.writeFileSync(at('mode'), (fs.statSync(file).mode & 0o777).toString(8))
  const { engine } = JSON.parse(fs.readFileSync(file, 'utf8')).services
  if (engine.command?.includes('broken')) { console.error('no such image'); process.exit(18) }
  if (engine.command?.includes('stillborn')) process.exit(0)
  const [host, port] = engine.ports[0].split(':')
  const out = fs.openSync(at('out'), 'w')
  const child = spawn(at('toy-engine'), ['--host', host, '--port', port], { detached: true, stdio: ['ignore', out, out] })
  fs.writeFileSync(at('pid'), String(child.pid))
  child.unref()
} else if (verb === 'down') {
  if (fs.existsSync(at('pid'))) { process.kill(Number(fs.readFileSync(at('pid'), 'utf8'))); fs.rmSync(at('pid')) }
} else if (verb === 'ps') { if (fs.existsSync(at('pid'))) console.log('4f1e') }
else if (verb === 'logs') process.stdout.write(fs.readFileSync(at('out')))
`

interface Document {
  services: { engine: { command?: string[]; ports: string[]; volumes?: string[]; environment: string[]; image: string } }
}

describe('a service in containers', () => {
  const docks = (): ReturnType<typeof toy> => toy({ service, programs: { docker, 'model$1.gguf': 'weights' } })
  const calls = (folder: string): string[][] =>
    readFileSync(join(folder, 'calls'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string[])

  it('is brought up and down by the client of Docker', async () => {
    const { mw, folder } = docks()
    const status = await mw.startService('toy', { model: join(folder, 'model$1.gguf'), args: ['--ctx', '512'] })
    expect(status).toMatchObject({ how: 'docker', healthy: true, managed: true, keyed: true })
    expect((await mw.chat({ model: 'toy/m', prompt: 'hello' })).text).toContain('hello from')

    const { engine } = (JSON.parse(readFileSync(join(folder, 'document'), 'utf8')) as Document).services
    const port = new URL(status.url ?? '').port
    expect(engine).toEqual({
      image: 'example/toy:latest',
      command: ['--model', '/models/model$$1.gguf', '--ctx', '512'], // Compose reads one $ of two
      ports: [`127.0.0.1:${port}:8080`],
      volumes: [`${folder}:/models:ro`],
      environment: ['ENGINE_KEY'],
    })
    expect(readFileSync(join(folder, 'mode'), 'utf8')).toBe('600')

    expect(await mw.serviceLogs('toy', 10)).toContain('the key is [redacted]')
    await mw.stopService('toy')
    const all = calls(folder)
    const [, , project = '', , file = ''] = all[0] ?? []
    expect(all[0]).toEqual(['compose', '-p', project, '-f', file, 'up', '--detach'])
    expect(project).toMatch(/^modelwire-toy-[0-9a-f]{8}$/)
    expect(all).toContainEqual(['compose', '-p', project, '-f', file, 'logs', '--no-color', '--no-log-prefix', '--tail', '10'])
    expect(all.at(-1)).toEqual(['compose', '-p', project, '-f', file, 'down', '--timeout', '2'])
    expect(existsSync(dirname(file))).toBe(false)
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false })
  })

  it("that can't be brought up is told with the client's words, and brought down", async () => {
    const { mw, folder } = docks()
    const error = await failureOf(mw.startService('toy', { args: ['broken'] }))
    expect(error).toMatchObject({ kind: 'server_error', message: expect.stringContaining('no such image') })
    expect(calls(folder).map((args) => args[5])).toEqual(['up', 'down'])
  })

  it('whose container ends at once is told before the time is over', async () => {
    const { mw, folder } = docks()
    const error = await failureOf(mw.startService('toy', { args: ['stillborn'] }))
    expect(error).toMatchObject({ kind: 'server_error', message: expect.stringContaining('no container that runs') })
    expect(calls(folder).at(-1)).toContain('down')
  })
})
