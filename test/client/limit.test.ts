import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { createRuntime, type Runtime } from '../../src/index.ts'

/** `limits: { inflight, queue }`, with a server that answers when it's told to. */
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function setUp(limits: { inflight: number; queue: number }): Promise<{ runtime: Runtime; waiting: ServerResponse[] }> {
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    request.resume()
    waiting.push(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const runtime = createRuntime({ retry: false, providers: { 'openai-chat': { baseUrl: `http://127.0.0.1:${port}`, limits } } })
  closers.push(
    () => runtime.close(),
    () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  )
  return { runtime, waiting }
}

const answer = (response: ServerResponse | undefined): void => {
  response
    ?.setHeader('content-type', 'application/json')
    .end(JSON.stringify({ choices: [{ message: { content: 'yes' }, finish_reason: 'stop' }] }))
}

const ask = { model: 'openai-chat/tiny', prompt: 'hello' }

it('lets so many calls through, has so many wait, and refuses one more at once', async () => {
  const { runtime, waiting } = await setUp({ inflight: 1, queue: 1 })
  const first = runtime.chat(ask)
  await expect.poll(() => waiting.length).toBe(1)
  const second = runtime.chat(ask)
  await expect(runtime.chat(ask)).rejects.toMatchObject({ kind: 'overloaded', retryable: true })
  expect(waiting.length).toBe(1)
  answer(waiting[0])
  expect((await first).text).toBe('yes')
  await expect.poll(() => waiting.length).toBe(2)
  answer(waiting[1])
  expect((await second).text).toBe('yes')
})

it('a caller who waits can leave at once, and its place in the queue is free', async () => {
  const { runtime, waiting } = await setUp({ inflight: 1, queue: 1 })
  const first = runtime.chat(ask)
  await expect.poll(() => waiting.length).toBe(1)
  const controller = new AbortController()
  const second = runtime.chat({ ...ask, signal: controller.signal })
  controller.abort(new Error('no longer wanted'))
  await expect(second).rejects.toMatchObject({ kind: 'cancelled', cause: { message: 'no longer wanted' } })
  answer(waiting[0])
  await first
  const third = runtime.chat(ask)
  await expect.poll(() => waiting.length).toBe(2)
  answer(waiting[1])
  expect((await third).text).toBe('yes')
})

it('a stream holds its place until its end', async () => {
  const { runtime, waiting } = await setUp({ inflight: 1, queue: 1 })
  const events = runtime.stream(ask)[Symbol.asyncIterator]()
  const opening = events.next()
  await expect.poll(() => waiting.length).toBe(1)
  waiting[0]?.setHeader('content-type', 'text/event-stream').write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
  await opening
  const second = runtime.chat(ask)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(waiting.length).toBe(1)
  await events.return?.()
  await expect.poll(() => waiting.length).toBe(2)
  answer(waiting[1])
  expect((await second).text).toBe('yes')
})
