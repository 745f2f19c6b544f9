import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { gone, lives, toy } from '../tools/engine.ts'
import { serve } from '../tools/server.ts'

const hello = { model: 'toy/m', prompt: 'hello' }

describe('a service', () => {
  it('starts, and calls go to it with a key that only it and we know', async () => {
    const { mw } = toy()
    const status = await mw.startService('toy', { model: 'small' })
    expect(status).toMatchObject({ id: 'toy', running: true, healthy: true, managed: true, how: 'native', keyed: true })
    const reply = await mw.chat(hello)
    expect(reply.text).toBe(`hello from ${new URL(status.url ?? '').port}`)
    expect((await fetch(`${status.url}/v1/chat`, { method: 'POST' })).status).toBe(401)
    expect((await mw.serviceLogs('toy')).join('\n')).toContain('"--model","small"')
    await mw.stopService('toy')
    expect(lives(status.pid ?? 0)).toBe(false)
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false, healthy: false, managed: false })
    expect(await failureOf(mw.chat(hello))).toMatchObject({ kind: 'network' })
  })

  it('started twice, at once and later, is one', async () => {
    const { mw } = toy()
    const [first, second] = await Promise.all([mw.startService('toy'), mw.startService('toy')])
    const third = await mw.startService('toy')
    expect(new Set([first?.pid, second?.pid, third.pid]).size).toBe(1)
    await mw.stopService('toy')
    await mw.stopService('toy')
    expect(lives(third.pid ?? 0)).toBe(false)
  })

  it('that becomes healthy late is waited for', async () => {
    const { mw } = toy()
    expect(await mw.startService('toy', { args: ['--mode', 'slow'] })).toMatchObject({ healthy: true })
  })

  it('that dies is told at once, with its last words and without its key', async () => {
    const { mw } = toy()
    const began = performance.now()
    const error = await failureOf(mw.startService('toy', { args: ['--mode', 'dies'], apiKey: 'sk-canary-1234' }))
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(error).toMatchObject({ kind: 'server_error', provider: 'toy', retryable: false })
    expect(error.message).toContain('ended with status 3')
    expect(error.message).toContain('no such model\nlast words of [redacted]')
    expect(JSON.stringify(error) + String(error.stack)).not.toContain('sk-canary-1234')
  })

  it('that never becomes healthy is ended when the time is over', async () => {
    const { mw } = toy()
    const late = await failureOf(mw.startService('toy', { args: ['--mode', 'deaf'], within: 500 }))
    expect(late).toMatchObject({ kind: 'timeout', provider: 'toy' })
    expect(late.message).toContain('500 ms')
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false })
  })

  it('is given up when the caller leaves', async () => {
    const { mw } = toy()
    const leave = new AbortController()
    const hear = (line: string): void => {
      if (line.startsWith('env')) leave.abort(new Error('enough'))
    }
    const error = await failureOf(mw.startService('toy', { args: ['--mode', 'deaf'], signal: leave.signal, onLog: hear }))
    expect(error.kind).toBe('cancelled')
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false, managed: false })
  })

  it('that finds its port taken is tried again at another', async () => {
    const { mw, folder } = toy()
    const mark = join(folder, 'mark')
    const status = await mw.startService('toy', { args: ['--mode', 'robbed', '--mark', mark] })
    expect(status.healthy).toBe(true)
    expect(new URL(status.url ?? '').port).not.toBe(readFileSync(mark, 'utf8'))
  })

  it('that somebody else runs is found, and left alone', async () => {
    const other = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"engine":"toy"}'),
    )
    const { mw } = toy({ base: `${other.url}/v1` })
    expect(await mw.startService('toy')).toEqual({ id: 'toy', running: true, healthy: true, managed: false, url: other.url })
    await mw.stopService('toy')
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: true, managed: false })
  })

  it("isn't mistaken for something else at its address", async () => {
    const other = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"engine":"other"}'),
    )
    const { mw } = toy({ base: `${other.url}/v1` })
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false, error: expect.stringContaining('something else') })
    expect(await mw.startService('toy')).toMatchObject({ managed: true, healthy: true })
  })

  it("listens where the caller's own baseUrl says", async () => {
    const free = await serve(() => undefined)
    await free.close()
    const { mw } = toy({ options: { providers: { toy: { baseUrl: `${free.url}/v1`, apiKey: 'mine' } } } })
    expect(await mw.startService('toy')).toMatchObject({ url: free.url, managed: true })
    expect((await mw.chat(hello)).text).toBe(`hello from ${free.port}`)
    const { mw: far } = toy({ options: { providers: { toy: { baseUrl: 'https://127.0.0.1:9/v1' } } } })
    const error = await failureOf(far.startService('toy'))
    expect(error.kind).toBe('configuration')
  })

  it('gets no secret of ours but those that its manifest names', async () => {
    const { mw } = toy({ env: { OTHER_API_KEY: 'k1', TOY_TOKEN: 't1', PLAIN: 'p' } })
    await mw.startService('toy', { env: { EXTRA_TOKEN: 'given' } })
    const env = (await mw.serviceLogs('toy')).find((line) => line.startsWith('env')) ?? ''
    expect(env).toContain('"PLAIN"')
    expect(env).toContain('"TOY_TOKEN"')
    expect(env).toContain('"EXTRA_TOKEN"')
    expect(env).not.toContain('OTHER_API_KEY')
  })

  it('writes its log into a file that only we can read', async () => {
    const { mw, folder } = toy()
    const logFile = join(folder, 'toy.log')
    await mw.startService('toy', { logFile })
    expect(readFileSync(logFile, 'utf8')).toContain('the key is [redacted]')
    expect(await mw.serviceLogs('toy', 1)).toHaveLength(1)
    expect(existsSync(join(folder, 'nowhere'))).toBe(false)
    await mw.stopService('toy')
    const error = await failureOf(mw.startService('toy', { logFile: join(folder, 'nowhere', 'toy.log') }))
    expect(error).toMatchObject({ kind: 'configuration' })
  })

  it('whose program is missing says which', async () => {
    const { mw } = toy({ env: { PATH: '/nowhere' } })
    const error = await failureOf(mw.startService('toy'))
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('toy-engine') })
    const { mw: other } = toy()
    const named = await failureOf(other.startService('toy', { way: 'docker' }))
    expect(named).toMatchObject({ kind: 'configuration', hint: expect.stringContaining('native') })
    expect(await failureOf(other.startService('openai'))).toMatchObject({ kind: 'unsupported' })
  })

  it('that dies later says so, and can be started again', async () => {
    const { mw } = toy()
    const first = await mw.startService('toy', { apiKey: 'k' })
    await fetch(`${first.url}/quit`, { headers: { authorization: 'Bearer k' } }).catch(() => undefined)
    expect(await gone(first.pid ?? 0)).toBe(true)
    await expect.poll(async () => (await mw.serviceStatus('toy')).error, { timeout: 3_000 }).toContain('ended with status 7')
    expect(await mw.serviceStatus('toy')).toMatchObject({ running: false, managed: true })
    const again = await mw.startService('toy')
    expect(again.healthy).toBe(true)
    expect(again.pid).not.toBe(first.pid)
  })
})
