import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Timeouts } from '../../src/core/request.ts'
import { createPolicy } from '../../src/resilience/policy.ts'
import { Clocks, timeoutsOf } from '../../src/resilience/timeout.ts'
import { failureOf, never, post, transport } from '../tools/call.ts'
import { serveBytes } from '../tools/server.ts'

const chunked = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

function clocks(limits: Timeouts): Clocks {
  const made = new Clocks(timeoutsOf(true, limits), { streamed: true, signal: never() })
  onTestFinished(() => made.stop())
  return made
}

/** Reads as the runtime does: the clocks know when it waits. */
async function read(url: string, times: Clocks, content: (text: string) => boolean = () => true): Promise<void> {
  const reply = await transport()(post(url), times.signal)
  times.replied()
  const chunks = reply.body[Symbol.asyncIterator]()
  for (;;) {
    times.waiting()
    const { done, value } = await chunks.next()
    times.received()
    if (done) return
    if (content(Buffer.from(value).toString())) times.committed()
  }
}

// The first call of a process loads the transport, which may take longer than the clocks of these tests.
beforeAll(() => import('../../src/transport/pools.ts'))

describe('clocks and real servers', () => {
  it('TR3 accepts and never answers: firstByte, and the connection is closed', async () => {
    const server = await serveBytes(() => undefined)
    const start = performance.now()
    expect(await failureOf(read(server.url, clocks({ firstByte: 80 })))).toMatchObject({
      kind: 'timeout',
      phase: 'firstByte',
      retryable: true,
    })
    expect(performance.now() - start).toBeLessThan(1_000)
    await server.closed
  })

  it('TR4 headers, then silence: idle', async () => {
    const server = await serveBytes((wire) => void wire.write(chunked))
    expect(await failureOf(read(server.url, clocks({ idle: 80 })))).toMatchObject({ kind: 'timeout', phase: 'idle' })
    await server.closed
  })

  it('TR4 comments and nothing else: firstEvent', async () => {
    const server = await serveBytes(async (wire) => {
      for (wire.write(chunked); !wire.gone; await wire.wait(10)) wire.write('5\r\n: hi\n\r\n')
    })
    const error = await failureOf(read(server.url, clocks({ firstEvent: 100, idle: 1_000 }), (text) => text.startsWith('data')))
    expect(error).toMatchObject({ kind: 'timeout', phase: 'firstEvent' })
    await server.closed
  })

  it('TR4 one byte now and then, for ever: total', async () => {
    const server = await serveBytes(async (wire) => {
      for (wire.write(chunked); !wire.gone; await wire.wait(10)) wire.write('1\r\nx\r\n')
    })
    expect(await failureOf(read(server.url, clocks({ idle: 1_000, total: 150 })))).toMatchObject({
      kind: 'timeout',
      phase: 'total',
      retryable: false,
    })
    await server.closed
  })

  it('an attempt that hangs is given up and tried again, all within the call’s time', async () => {
    const server = await serveBytes((wire, _, count) => void (count === 3 && wire.write(`${chunked}0\r\n\r\n`)))
    const endsAt = performance.now() + 5_000
    const limits = timeoutsOf(true, { firstByte: 60 })
    const attempts = await createPolicy({ retry: { base: 1 } }).run(
      async (n, signal) => {
        const times = new Clocks(limits, { streamed: true, signal, endsAt })
        try {
          await read(server.url, times)
        } finally {
          times.stop()
        }
        return n
      },
      never(),
      { endsAt },
    )
    expect(attempts).toBe(3)
    expect(server.requests).toHaveLength(3)
  })
})
