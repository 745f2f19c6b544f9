/** Bodies in chunks, as servers send them and as they must not. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ChunkedDecoder } from '../../src/transport/chunked.ts'
import { failureOf, idle, never, post, transport } from '../tools/call.ts'
import { numbers } from '../tools/numbers.ts'
import { serveBytes } from '../tools/server.ts'

const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const filling = Buffer.from('data: {"a":"0\\r\\n"}\r\n\r\n7\r\n0\r\n\r\nf\r\n')

/** Bytes that look like chunks, so that one who loses the place goes astray. */
function dataOf(length: number, next: (below: number) => number): Buffer {
  const from = next(filling.length)
  return Buffer.from(Array.from({ length }, (_, index) => filling[(from + index) % filling.length] ?? 0))
}

type Coding = (size: string) => string
const codings: Record<string, Coding> = {
  plain: (size) => size,
  upper: (size) => size.toUpperCase(),
  padded: (size) => `000${size}`,
  extended: (size) => `${size};a="b;c"`,
}
const lasts = ['0\r\n\r\n', '000\r\n\r\n', '0;last\r\n\r\n', '0\r\nx-trailer: 5\r\nx-other: a\r\n\r\n']

interface Body {
  data: Buffer
  coded: Buffer
}

/** A body in chunks of many sizes; mostly plain ones, here and there another coding. */
function bodyOf(next: (below: number) => number): Body {
  const chunks = Array.from({ length: next(12) }, () => dataOf(1 + next([20, 400, 9_000, 70_000][next(4)] ?? 1), next))
  const names = Object.keys(codings)
  const coded = chunks.map((chunk) => {
    const coding = codings[next(8) === 0 ? (names[next(names.length)] ?? '') : 'plain']
    return Buffer.concat([Buffer.from(`${coding?.(chunk.length.toString(16))}\r\n`), chunk, Buffer.from('\r\n')])
  })
  return {
    data: Buffer.concat(chunks),
    coded: Buffer.concat([...coded, Buffer.from(lasts[next(3) === 0 ? next(lasts.length) : 0] ?? '')]),
  }
}

/** Cuts where a server might: at a few places, at many, or between chunks. */
function pieces(bytes: Buffer, next: (below: number) => number): Buffer[] {
  const most = [40, 3_000, 100_000][next(3)] ?? 1
  const cut: Buffer[] = []
  for (let at = 0; at < bytes.length; at += cut.at(-1)?.length ?? 0) cut.push(bytes.subarray(at, at + 1 + next(most)))
  return cut.length > 400 ? [bytes] : cut
}

describe('a body in chunks', () => {
  it.each([1, 2, 3, 4])('comes whole over kept connections, however it is coded, cut and read (%i)', async (seed) => {
    const next = numbers(seed)
    const bodies = Array.from({ length: 25 }, () => bodyOf(next))
    const server = await serveBytes(async (wire, { path }) => {
      const body = bodies[Number(path.slice(1))]
      for (const piece of pieces(Buffer.concat([Buffer.from(head), body?.coded ?? Buffer.alloc(0)]), next)) {
        if (!wire.write(piece)) await wire.drained()
        if (next(3) > 0) await wire.wait(next(2))
      }
    })
    const http = transport()
    const one = async (index: number): Promise<void> => {
      const came: Uint8Array[] = []
      for await (const piece of (await http(post(`${server.url}/${index}`), never())).body) {
        came.push(piece)
        if (index % 3 === 0) await sleep(2)
      }
      expect(Buffer.compare(Buffer.concat(came), bodies[index]?.data ?? Buffer.alloc(0))).toBe(0)
      await idle()
    }
    for (let index = 0; index < bodies.length; index += 5) await Promise.all([0, 1, 2, 3, 4].map((more) => one(index + more)))
    expect(server.connections).toBeLessThan(11)
  })

  it('comes whole when the server is held back in the middle of a long chunk, and short ones follow', async () => {
    const next = numbers(9)
    const long = dataOf(1_000_000, next)
    const short = Array.from({ length: 3_000 }, () => dataOf(1 + next(300), next))
    const server = await serveBytes(async (wire) => {
      wire.write(Buffer.concat([Buffer.from(`${head}${long.length.toString(16)}\r\n`), long.subarray(0, 1_000)]))
      await wire.wait(20)
      wire.write(long.subarray(1_000))
      wire.write('\r\n')
      for (const data of short)
        if (!wire.write(Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])))
          await wire.drained()
      wire.write('0\r\n\r\n')
    })
    const came: Uint8Array[] = []
    for await (const piece of (await transport()(post(server.url), never())).body) {
      came.push(piece)
      if (came.length % 20 === 1) await sleep(20)
    }
    expect(Buffer.compare(Buffer.concat(came), Buffer.concat([long, ...short]))).toBe(0)
  })

  const broken: [string, string][] = [
    ['data is longer than its size', '5\r\nhelloa\r\n0123456789\r\n0\r\n\r\n'],
    ['data is longer by what looks like a last chunk', '5\r\nhello0\r\n\r\n'],
    ['data is shorter than its size', '7\r\nhello\r\n0\r\n\r\n'],
    ['two other bytes behind the data', '5\r\nhelloXX5\r\nhello\r\n0\r\n\r\n'],
    ['only a line feed behind the data', '5\r\nhello\n0\r\n\r\n'],
    ['only a line feed behind the size', '5\nhello\r\n0\r\n\r\n'],
    ['a size that is none', '5\r\nhello\r\nxyz\r\n0\r\n\r\n'],
    ['a size with a sign', '5\r\nhello\r\n-5\r\nhello\r\n0\r\n\r\n'],
    ['a size with a prefix', '5\r\nhello\r\n0x5\r\nhello\r\n0\r\n\r\n'],
    ['no size', '5\r\nhello\r\n\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all numbers', '5\r\nhello\r\nfffffffffffffffffff5\r\nhello\r\n0\r\n\r\n'],
  ]
  const bytewise = (text: string): string[] => [...text]
  const ways: [string, (text: string) => string[]][] = [
    ['with the head', (text) => [head + text]],
    ['behind the head', (text) => [head, text]],
    ['behind a chunk', (text) => [head + '3\r\nabc\r\n', text]],
    ['byte by byte', (text) => [head + '3\r\nabc\r\n', ...bytewise(text)]],
  ]
  it.each(ways.flatMap(([way, cut]) => broken.map(([what, text]) => [what, way, cut(text)] as const)))(
    'is refused: %s, %s',
    async (_what, _way, parts) => {
      const server = await serveBytes(async (wire) => {
        for (const part of parts) {
          wire.write(part)
          await wire.wait(1)
        }
      })
      const reply = await transport()(post(server.url), never())
      let came = ''
      const read = async (): Promise<void> => {
        for await (const piece of reply.body) came += Buffer.from(piece).toString()
      }
      expect(await failureOf(read())).toMatchObject({ kind: 'protocol' })
      expect(came).toMatch(/^(?:abc)?(?:hel|hello(?:\r\n)?)?$/)
      await server.closed
    },
  )
})

describe('the decoder of chunks', () => {
  it('gives all data and finds the end, however the bytes are cut, and no end where there is none', () => {
    const next = numbers(7)
    for (let round = 0; round < 5_000; round++) {
      const { data, coded } = bodyOf((below) => next(Math.min(below, 400)))
      const bytes = Buffer.concat([coded, Buffer.from('HTTP/1.1')])
      const cuts = [next(coded.length), next(coded.length)].toSorted((a, b) => a - b)
      const decoder = new ChunkedDecoder()
      const came: Buffer[] = []
      const sink = { data: (chunk: Uint8Array) => void came.push(Buffer.from(chunk)) }
      let at = 0
      for (const end of cuts) {
        at = decoder.decode(bytes, at, end, sink)
        expect(at).toBe(end)
        expect(decoder.ended).toBe(false)
      }
      expect(decoder.decode(bytes, at, bytes.length, sink)).toBe(coded.length)
      expect(decoder.ended).toBe(true)
      expect(Buffer.compare(Buffer.concat(came), data)).toBe(0)
    }
  })
})
