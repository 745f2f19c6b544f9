/** All sockets read to the same memory: what came by one must never be seen in what came by another. */
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { post, never, transport } from '../tools/call.ts'
import { chunk, demo, head, last, runtime, sse, whole } from '../tools/demo.ts'
import { numbers } from '../tools/numbers.ts'
import { serveBytes } from '../tools/server.ts'
import type { Received, Script } from '../tools/server.ts'

const words = (name: string): string[] => Array.from({ length: 120 }, (_, index) => `${name}.${index} `)
const filler = `x-filler: ${'f'.repeat(900)}`
const said = (name: string): string => JSON.stringify({ text: words(name).join(''), stop: 'done' })
const frames = (name: string): unknown[] => [...words(name).map((text) => ({ text })), { stop: 'done' }]

/** The bytes of a reply in each form that a reply can have, for a call that has a name of its own. */
const forms: Record<string, (name: string) => Buffer> = {
  events: (name) => chunks(head('text/event-stream', filler), sse(...frames(name), '[END]')),
  lines: (name) =>
    chunks(
      head('application/x-ndjson', filler),
      frames(name)
        .map((frame) => `${JSON.stringify(frame)}\n`)
        .join(''),
    ),
  list: (name) => chunks(head('application/json', filler), JSON.stringify(frames(name))),
  document: (name) => whole(said(name), 'application/json', 200, filler),
  padded: (name) => chunks(head('application/json', filler), ' \n'.repeat(name.length ** 3) + said(name)),
  squeezed: (name) => chunks(head('text/event-stream', 'content-encoding: gzip'), gzipSync(sse(...frames(name), '[END]'))),
}

function chunks(before: string, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body)
  const cut = (index: number): Buffer => chunk(bytes.subarray((bytes.length * index) >> 2, (bytes.length * (index + 1)) >> 2))
  return Buffer.concat([
    Buffer.from(before),
    cut(0),
    cut(1),
    cut(2),
    cut(3),
    Buffer.from(`${last.slice(0, -2)}x-trailer: t\r\n\r\n`),
  ])
}

/** Writes the reply that the request's last word names in small pieces, so that replies come between each other's. */
function inPieces(of: (request: Received) => string): Script {
  return async (wire, request, count) => {
    const name = of(request)
    const bytes = forms[name.split('-')[0] ?? '']?.(name) ?? Buffer.from('')
    const next = numbers(count)
    for (let at = 0; at < bytes.length && !wire.gone;) {
      const size = 1 + next(next(4) === 0 ? 2_000 : 60)
      wire.write(bytes.subarray(at, at + size))
      at += size
      if (next(3) > 0) await wire.wait(0)
    }
  }
}

const promptOf = ({ body }: Received): string => /"text":"([\w-]+)"/.exec(body.toString())?.[1] ?? ''

describe('calls at once', () => {
  it.each(Object.keys(forms))('each gets its own text of a reply of %s, however it is cut and read', async (form) => {
    const server = await serveBytes(inPieces(promptOf))
    const mw = runtime(demo(server.url))
    const calls = Array.from({ length: 24 }, async (_, index) => {
      for (const round of [1, 2]) {
        const name = `${form}-${index}-${round}`
        let heard = ''
        for await (const event of mw.stream({ model: 'demo/m1', prompt: name })) {
          if (event.type === 'text') heard += event.delta
          if (index % 4 === 0 && heard.length % 7 === 0) await sleep(1) // some are slow: what comes has to wait
        }
        expect(heard).toBe(words(name).join(''))
      }
    })
    await Promise.all(calls)
    expect(server.connections).toBeLessThan(48) // in the second round, most come over a kept connection
  })

  it('each gets its own bytes, kept for as long as it likes', async () => {
    const server = await serveBytes(inPieces(({ path }) => path.slice(1)))
    const http = transport()
    const calls = Array.from({ length: 24 }, async (_, index) => {
      const name = `document-${index}`
      const kept: Uint8Array[] = []
      for await (const piece of (await http(post(`${server.url}/${name}`), never())).body) kept.push(piece)
      return { name, kept }
    })
    for (const { name, kept } of await Promise.all(calls)) {
      expect(JSON.parse(Buffer.concat(kept).toString())).toEqual(JSON.parse(said(name)))
    }
  })
})
