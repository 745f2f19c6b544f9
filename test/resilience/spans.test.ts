import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRuntime, type ChatRequest, type ProviderOptions, type RuntimeOptions } from '../../src/index.ts'
import { chunk, demo, head, hello, last, runtime, sse, streamed } from '../tools/demo.ts'
import { failure } from '../tools/failure.ts'
import { serveBytes } from '../tools/server.ts'

const years = 1e12

/** Node says so when a timer gets more than it can count, and lets it ring after a millisecond. */
let overflows: string[] = []
const hear = (warning: Error): void => {
  if (warning.name === 'TimeoutOverflowWarning') overflows.push(warning.message)
}
beforeEach(() => {
  overflows = []
  process.on('warning', hear)
})
afterEach(() => void process.off('warning', hear))

describe('milliseconds that no clock can be set to', () => {
  it.each([
    ['timeout', { timeout: NaN }],
    ['timeout', { timeout: -1 }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: Infinity }],
    ['timeout', { timeout: '50' }],
    ['timeouts.total', { timeouts: { total: NaN } }],
    ['timeouts.idle', { timeouts: { idle: -1 } }],
    ['timeouts.connect', { timeouts: { connect: Infinity } }],
    ['timeouts.firstEvent', { timeouts: { firstEvent: '9' } }],
    ['retry.base', { retry: { base: NaN } }],
    ['retry.max', { retry: { max: -1 } }],
    ['retry.attempts', { retry: { attempts: NaN } }],
  ] as [string, ProviderOptions][])('are refused as `%s` of a request and of a runtime: %o', async (name, options) => {
    const mw = runtime(demo('http://127.0.0.1:9'))
    const request = { ...hello, ...options } as ChatRequest
    const error = await failure(mw.chat(request))
    expect(error).toMatchObject({ kind: 'invalid_request', message: expect.stringContaining(`\`${name}\``) })
    await expect(mw.stream(request).result).rejects.toMatchObject({ kind: 'invalid_request' })
    await expect(mw.embed({ model: 'demo/m1', input: 'x', ...options } as never)).rejects.toMatchObject({ kind: 'invalid_request' })
    await expect(mw.loadModel('demo/m1', options)).rejects.toMatchObject({ kind: 'invalid_request' })
    if (name === 'timeout') return
    const refused = (made: RuntimeOptions) => expect(() => createRuntime(made)).toThrow(`${name}\``)
    refused(options)
    refused({ providers: { demo: options } })
  })

  it('are refused for the start of a service', async () => {
    const mw = runtime(demo('http://127.0.0.1:9'))
    for (const within of [0, -1, NaN, Infinity])
      await expect(mw.startService('llama-server', { within })).rejects.toMatchObject({
        kind: 'invalid_request',
        message: expect.stringContaining('`within`'),
      })
  })
})

describe('30 years', () => {
  it('as any clock of a call don’t end it after a millisecond', async () => {
    const server = await serveBytes(async (wire) => {
      await wire.wait(30)
      wire.write(head())
      await wire.wait(30)
      wire.write(chunk(sse({ text: 'late' })))
      await wire.wait(30)
      wire.write(Buffer.concat([chunk(sse({ stop: 'done' }, '[END]')), Buffer.from(last)]))
    })
    const timeouts = { connect: years, firstByte: years, firstEvent: years, idle: years, total: years }
    const mw = runtime(demo(server.url), { timeouts })
    expect((await mw.stream(hello).result).text).toBe('late')
    expect((await mw.stream({ ...hello, timeout: years, timeouts }).result).text).toBe('late')
    expect(overflows).toEqual([])
  })

  it('between two attempts are waited for', async () => {
    const server = await serveBytes((wire, _, count) => {
      if (count === 1) wire.write('HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n')
      else wire.write(streamed({ text: 'too soon' }, { stop: 'done' }, '[END]'))
    })
    const mw = runtime(demo(server.url))
    const leave = new AbortController()
    const call = mw.stream({ ...hello, retry: { base: years, max: years }, timeout: 10 * years, signal: leave.signal }).result
    const ended = failure(call)
    setTimeout(() => leave.abort(), 300)
    expect(await ended).toMatchObject({ kind: 'cancelled' })
    expect(server.requests).toHaveLength(1)
    expect(overflows).toEqual([])
  })
})
