/** Replies as they come over a connection: bytes in; head, data and end out. */
import { describe, expect, it } from 'vitest'
import type { ConnectionError } from '../../src/transport/failure.ts'
import { ReplyParser } from '../../src/transport/reply.ts'
import { numbers } from '../tools/numbers.ts'

interface Told {
  status?: number
  headers?: Record<string, string>
  body: string
  /** Milliseconds for which the connection may be used again. */
  keep?: number
  trouble?: string
}

interface Hearing {
  head?: (status: number, headers: Record<string, string>) => void
  data?: (bytes: Buffer) => void
  end?: (keep: number) => void
}

/** Bytes are read to a memory where those of other reads still lie. */
const room = Buffer.alloc(256 * 1024, '\r\n\r\nHTTP/1.1 500 Stale\r\n')

function parserOf({ head, data, end }: Hearing): { parser: ReplyParser; parse: (text: string) => ConnectionError | undefined } {
  const parser = new ReplyParser({
    head(status, headers) {
      head?.(status, headers)
      return { data: (bytes) => data?.(Buffer.from(bytes)) }
    },
    end: (keep) => end?.(keep),
  })
  return { parser, parse: (text) => parser.parse(room, room.write(text, 'latin1')) }
}

/** What a parser tells of these pieces, and of the close behind them, if there is one. */
function told(pieces: string[], { method = 'POST', closed = false } = {}): Told {
  const heard: Told = { body: '' }
  const { parser, parse } = parserOf({
    head: (status, headers) => Object.assign(heard, { status, headers }),
    data: (bytes) => void (heard.body += bytes.toString('latin1')),
    end: (keep) => void (heard.keep = keep),
  })
  parser.begin(method)
  for (const piece of pieces) {
    const trouble = parse(piece)
    if (trouble) return { ...heard, trouble: trouble.code }
  }
  const trouble = closed ? parser.close() : undefined
  return trouble ? { ...heard, trouble: trouble.code } : heard
}

const ok = 'HTTP/1.1 200 OK\r\n'

const replies: Record<string, [bytes: string, told: Told]> = {
  'with a length': [
    `${ok}Content-Length: 5\r\nX-Two: a\r\nx-two:b\t \r\n\r\nhello`,
    { status: 200, headers: { 'content-length': '5', 'x-two': 'a, b' }, body: 'hello', keep: 30_000 },
  ],
  'in chunks': [
    `${ok}transfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n00A;x="1"\r\n, you two!\r\n0\r\nx-trailer: t\r\n\r\n`,
    { status: 200, headers: { 'transfer-encoding': 'Chunked' }, body: 'hello, you two!', keep: 30_000 },
  ],
  'behind interim ones': [
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}content-length: 2\r\n\r\nok`,
    { status: 200, headers: { 'content-length': '2' }, body: 'ok', keep: 30_000 },
  ],
  'without a body': ['HTTP/1.1 204 No Content\r\n\r\n', { status: 204, headers: {}, body: '', keep: 30_000 }],
  'not modified, with the length of what isn’t sent': [
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n',
    { status: 304, headers: { 'content-length': '9' }, body: '', keep: 30_000 },
  ],
  'with an empty body': [
    `${ok}content-length: 0\r\n\r\n`,
    { status: 200, headers: { 'content-length': '0' }, body: '', keep: 30_000 },
  ],
  'without a reason, and a header without a value': [
    'HTTP/1.1 429\r\nx:\r\ncontent-length: 1\r\n\r\n!',
    { status: 429, headers: { x: '', 'content-length': '1' }, body: '!', keep: 30_000 },
  ],
  'with letters beyond ASCII': [
    `HTTP/1.1 200 Tr\xe8s bien\r\nx: \xfcber\r\ncontent-length: 2\r\n\r\n\xc3\xa4`,
    { status: 200, headers: { x: '\xfcber', 'content-length': '2' }, body: '\xc3\xa4', keep: 30_000 },
  ],
  'that more follows behind': [
    `${ok}content-length: 2\r\n\r\nokHTTP`,
    { status: 200, headers: { 'content-length': '2' }, body: 'ok', keep: 0 },
  ],
}

describe('a reply', () => {
  it.each(Object.entries(replies))('%s is the same, cut at any one place', (_, [bytes, expected]) => {
    expect(told([bytes])).toEqual(expected)
    const end = expected.keep === 0 ? bytes.indexOf('okHTTP') + 2 : bytes.length // a cut right there makes the rest the next read's
    for (let cut = 1; cut < end; cut++) expect(told([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(expected)
    expect(told([...bytes.slice(0, end), bytes.slice(end)].filter(Boolean))).toEqual({ ...expected, keep: 30_000 })
  })

  it('that ends with the connection has no other end', () => {
    const bytes = `${ok}content-type: text/plain\r\n\r\nhello`
    const expected = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'hello' }
    expect(told([bytes])).toEqual(expected)
    expect(told([bytes], { closed: true })).toEqual({ ...expected, keep: 0 })
  })

  it('to HEAD has no body, whatever its length', () => {
    expect(told([`${ok}content-length: 9\r\n\r\n`], { method: 'HEAD' })).toMatchObject({ body: '', keep: 30_000 })
    expect(told([`${ok}transfer-encoding: chunked\r\n\r\n`], { method: 'HEAD' })).toMatchObject({ body: '', keep: 30_000 })
  })

  it.each(Object.entries(replies).filter(([, [, { keep }]]) => keep !== 0))(
    '%s, closed before its end, is cut',
    (_, [bytes, { keep }]) => {
      expect(keep).toBe(30_000)
      for (let cut = 0; cut < bytes.length; cut++) {
        const { trouble, keep: ended } = told([bytes.slice(0, cut)], { closed: true })
        expect([trouble, ended]).toEqual(['closed', undefined])
      }
    },
  )

  it('one behind the other over the same connection, with nothing kept of the one before', () => {
    const heard: string[] = []
    const { parser, parse } = parserOf({
      head: (status, headers) => void heard.push(`${status} ${JSON.stringify(headers)}`),
      data: (bytes) => void heard.push(bytes.toString()),
      end: () => void heard.push('end'),
    })
    for (let round = 0; round < 2; round++) {
      parser.begin('HEAD')
      expect(parse(`${ok}content-length: 3\r\n\r\n`)).toBeUndefined()
      parser.begin('POST')
      for (const piece of [`${ok}transfer-`, 'encoding: chunked\r\n\r\n3\r\nab', 'c\r\n0\r\n\r\n']) {
        expect(parse(piece)).toBeUndefined()
      }
      parser.begin('GET')
      expect(parse('HTTP/1.1 204 No Content\r\n\r\n')).toBeUndefined()
    }
    const one = ['200 {"content-length":"3"}', 'end', '200 {"transfer-encoding":"chunked"}', 'ab', 'c', 'end', '204 {}', 'end']
    expect(heard).toEqual([...one, ...one])
  })

  it('isn’t told any further once its taker has had enough', () => {
    for (const when of ['head', 'data']) {
      const heard: string[] = []
      const hear = (what: string): void => {
        heard.push(what)
        if (what === when) parser.stop()
      }
      const { parser, parse } = parserOf({ head: () => hear('head'), data: () => hear('data'), end: () => hear('end') })
      parser.begin('POST')
      parse(`${ok}content-length: 2\r\n\r\nok`)
      parse('more')
      expect(parser.close()).toBeUndefined()
      expect(heard.at(-1)).toBe(when)
    }
  })
})

describe('how long a connection may be used again', () => {
  const empty = 'content-length: 0\r\n\r\n'
  it.each<[string, number]>([
    [`${ok}connection: keep-alive\r\n${empty}`, 30_000],
    [`${ok}connection: close\r\n${empty}`, 0],
    [`${ok}Connection: x-other, Close\r\n${empty}`, 0],
    [`${ok}connection: closed\r\n${empty}`, 30_000],
    [`HTTP/1.0 200 OK\r\n${empty}`, 0],
    [`HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\n${empty}`, 30_000],
    [`${ok}keep-alive: timeout=5, max=100\r\n${empty}`, 3_000],
    [`${ok}keep-alive: max=100, timeout=72\r\n${empty}`, 70_000],
    [`${ok}keep-alive: timeout=2\r\n${empty}`, 0],
    [`${ok}keep-alive: timeout=0\r\n${empty}`, 0],
    [`${ok}keep-alive: timeout=999999999\r\n${empty}`, 600_000],
    [`${ok}keep-alive: whatever\r\n${empty}`, 30_000],
  ])('%j: %i ms', (bytes, keep) => {
    expect(told([bytes]).keep).toBe(keep)
  })
})

describe('what is no reply', () => {
  it.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'http/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200\tOK\r\n\r\n',
    'HTTP/1.1 200 O\0K\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n',
    '\r\nHTTP/1.1 200 OK\r\n\r\n',
    ' HTTP/1.1 200 OK\r\n\r\n',
    'SSH-2.0-OpenSSH_9.2\r\n',
    '<html>',
    'HTTP/1.1 200 OK\nx: 1\n\n',
    'HTTP/1.1 200 OK\r\nx: 1\ny: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx: 1\ry: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: no name\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx : 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx: 1\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nx: 1\r\n fol: ded\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length: 0x1\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999\r\n\r\na',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n;extension\r\n',
  ])('%j', (bytes) => {
    expect(told([bytes]).trouble).toBe('not-http')
    expect(told([...bytes], { closed: true }).trouble).toBe('not-http')
  })

  it('a head without end is refused early, whether it comes at once or in pieces', () => {
    const head = `${ok}${'x: y\r\n'.repeat(20_000)}`
    expect(told([head]).trouble).toBe('head-too-large')
    expect(told([`${head}\r\n`]).trouble).toBe('head-too-large')
    const pieces = Array.from({ length: 200 }, (_, index) => head.slice(index * 500, (index + 1) * 500))
    expect(told(pieces).trouble).toBe('head-too-large')
    expect(told([`${ok}x: ${'y'.repeat(60_000)}\r\n\r\n`])).toMatchObject({ status: 200 })
  })

  it.each([
    ['an extension', `1;${'x'.repeat(20_000)}`],
    ['a trailer', `0\r\nx: ${'y'.repeat(20_000)}`],
    ['all trailers', `0\r\n${'x: y\r\n'.repeat(5_000)}`],
    ['a size', '0'.repeat(14)],
  ])('%s without end is none either', (_, bytes) => {
    expect(told([`${ok}transfer-encoding: chunked\r\n\r\n`, bytes]).trouble).toBe('not-http')
  })
})

describe('any bytes', () => {
  it('give a reply, trouble or nothing yet, and the same however they are cut', () => {
    const next = numbers(3)
    const samples = Object.values(replies).map(([bytes]) => bytes)
    const junk = '\r\n\t :;,0a5\0\x7f\xffHTTP/1.1 200 chunked'
    for (let round = 0; round < 30_000; round++) {
      const sample = samples[next(samples.length)] ?? ''
      const at = next(sample.length)
      const noise = Array.from({ length: next(4) }, () => junk[next(junk.length)]).join('')
      const bytes = sample.slice(0, at) + noise + sample.slice(at + next(3))
      const whole = told([bytes])
      const cut = next(bytes.length)
      const parted = told([bytes.slice(0, cut), bytes.slice(cut)])
      // Two things may depend on the cut: what more follows in the same read, and how much of a broken body was handed on.
      const { keep: _keep, body, ...rest } = whole
      const { keep: _parted, body: partedBody, ...partedRest } = parted
      expect(partedRest).toEqual(rest)
      expect(partedBody.startsWith(body) || whole.trouble !== undefined).toBe(true)
    }
  })
})
