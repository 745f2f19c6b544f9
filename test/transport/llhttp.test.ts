/** Our parser of HTTP beside Node's: what both take must be the same reply, however it was damaged. */
import { request } from 'node:http'
import { beforeAll, describe, expect, it } from 'vitest'
import { ModelwireError } from '../../src/core/error.ts'
import { createHttpTransport, type HttpTransport } from '../../src/transport/http.ts'
import { never, post } from '../tools/call.ts'
import { numbers } from '../tools/numbers.ts'
import { serveBytes, type Served } from '../tools/server.ts'

const ok = 'HTTP/1.1 200 OK\r\n'
const replies = [
  `${ok}Content-Length: 5\r\nX-Two: a\r\nx-two:b\t \r\n\r\nhello`,
  `${ok}transfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;x="1"\r\n, you two!\r\n0\r\nx-trailer: t\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}content-length: 2\r\n\r\nok`,
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
  'HTTP/1.1 429\r\nx:\r\ncontent-length: 1\r\n\r\n!',
  'HTTP/1.0 200 OK\r\ncontent-type: a\r\n\r\nhello',
]
const marks = ['\r\n', '\n', '\r', ' ', '\t', ':', ';', ',', '0', 'a', '5', '\0', '\x7f', '\xff', 'HTTP/1.1 200 ', 'chunked']
const lines = ['content-length: 1\r\n', 'transfer-encoding: chunked\r\n', 'connection: close\r\n', 'connection: keep-alive\r\n']
const noises = [...marks, ...lines]

function damaged(next: (below: number) => number): string {
  const reply = replies[next(replies.length)] ?? ''
  const at = next(reply.length)
  const noise = Array.from({ length: 1 + next(2) }, () => noises[next(noises.length)]).join('')
  return reply.slice(0, at) + noise + reply.slice(at + next(3))
}

/** The status and the body, or why there is none. */
type Read = { status: number; body: string } | { refused: string }

function byNode(url: string): Promise<Read> {
  return new Promise((resolve) => {
    const refused = (error: Error & { code?: string }): void => resolve({ refused: error.code ?? error.message })
    const call = request(url, { method: 'POST', agent: false }, (reply) => {
      let body = ''
      reply.setEncoding('latin1')
      reply.on('data', (text: string) => (body += text))
      reply.on('end', () => resolve(reply.complete ? { status: reply.statusCode ?? 0, body } : { refused: 'cut' }))
      reply.on('error', refused)
    })
    call.on('error', refused)
    call.end('{}')
  })
}

async function byUs(http: HttpTransport, url: string): Promise<Read> {
  try {
    const reply = await http(post(url), never())
    const parts: Uint8Array[] = []
    for await (const part of reply.body) parts.push(part)
    return { status: reply.status, body: Buffer.concat(parts).toString('latin1') }
  } catch (error) {
    if (error instanceof ModelwireError) return { refused: error.kind }
    throw error
  }
}

/** What Node refuses and we needn't: what is wrong stands behind a reply (we close the connection), in an extension, or in a trailer. */
function beside(bytes: string, refused: string): boolean {
  const [, chunked = ''] = replies
  const toTrailer = chunked.slice(0, chunked.indexOf('x-trailer'))
  return ['HPE_INVALID_CONSTANT', 'HPE_CLOSED_CONNECTION', 'HPE_STRICT'].includes(refused) || bytes.startsWith(toTrailer)
}

describe('a reply', () => {
  const next = numbers(11)
  const sent = [...replies, ...Array.from({ length: 3_000 }, () => damaged(next))]
  const read: { bytes: string; node: Read; us: Read }[] = []

  beforeAll(async () => {
    const server: Served = await serveBytes((wire, { path }) => wire.end(Buffer.from(sent[Number(path.slice(1))] ?? '', 'latin1')))
    const http = createHttpTransport({ env: {} })
    for (const [index, bytes] of sent.entries()) {
      const url = `${server.url}/${index}`
      const [node, us] = await Promise.all([byNode(url), byUs(http, url)])
      read.push({ bytes, node, us })
    }
    await http.close()
    await server.close()
  }, 60_000)

  it('that is sound is read alike', () => {
    const sound = read.slice(0, replies.length)
    expect(sound.map(({ us }) => us)).toEqual(sound.map(({ node }) => node))
    expect(sound.filter(({ us }) => 'refused' in us)).toEqual([])
  })

  it('that both read says the same to both', () => {
    const both = read.filter(({ node, us }) => !('refused' in node) && !('refused' in us))
    expect(both.map(({ bytes, us }) => ({ bytes, ...us }))).toEqual(both.map(({ bytes, node }) => ({ bytes, ...node })))
    expect(both.length).toBeGreaterThan(400)
  })

  it('that Node refuses is refused here too, unless what is wrong stands beside it', () => {
    const lax = read.filter(({ bytes, node, us }) => 'refused' in node && !('refused' in us) && !beside(bytes, node.refused))
    expect(lax).toEqual([])
    expect(read.filter(({ node, us }) => 'refused' in node && 'refused' in us).length).toBeGreaterThan(1_000)
  })
})
