import { assert, constantFrom, integer, array, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Exchange, Replayed, Runtime } from '../../src/index.ts'
import { ModelwireError } from '../../src/index.ts'
import { canary, demo, printed, runtime, sse } from '../tools/demo.ts'

const nowhere = demo('http://127.0.0.1:1')

function recorded(body: string | Uint8Array, type = 'text/event-stream'): Exchange {
  return { response: { status: 200, headers: { 'content-type': type }, bodyBase64: Buffer.from(body).toString('base64') } }
}

function told(mw: Runtime, exchange: Exchange, cut?: number | number[]): Replayed {
  return mw.replay(exchange, { provider: 'demo', ...(cut === undefined ? {} : { cut }) })
}

function text(mw: Runtime, exchange: Exchange, cut?: number | number[]): unknown {
  try {
    const { events, result } = told(mw, exchange, cut)
    // Where a text is cut into deltas may follow the reads; what they add up to may not.
    return { text: result.text, events: events.map((event) => (event.type === 'text' ? event.delta : event)) }
  } catch (error) {
    if (error instanceof ModelwireError) return { kind: error.kind, message: error.message, partial: error.partial?.text }
    throw error
  }
}

const say = (word: string): string => JSON.stringify({ text: word })
const end = 'data: [END]\n\n'

/** After the web platform's tests of event sources (eventsource/format-*), with JSON as the data. */
const framings: [string, string | Uint8Array, string][] = [
  ['plain', `data: ${say('a')}\n\ndata: ${say('b')}\n\n${end}`, 'ab'],
  ['CRLF', `data: ${say('a')}\r\n\r\ndata: ${say('b')}\r\n\r\ndata: [END]\r\n\r\n`, 'ab'],
  ['CR alone', `data: ${say('a')}\r\rdata: ${say('b')}\r\rdata: [END]\r\r`, 'ab'],
  ['all line ends at once', `data: ${say('a')}\r\n\ndata: ${say('b')}\r\r\ndata: [END]\n\r\n`, 'ab'],
  ['a byte order mark', `\ufeffdata: ${say('a')}\n\n${end}`, 'a'],
  [
    'a second byte order mark is part of a name that nobody knows',
    `\ufeff\ufeffdata: ${say('lost')}\n\ndata: ${say('a')}\n\n${end}`,
    'a',
  ],
  ['no space behind the colon', `data:${say('a')}\n\ndata:[END]\n\n`, 'a'],
  ['two spaces: one belongs to the data', `data:  ${say('a')}\n\n${end}`, 'a'],
  ['a tab', `data:\t${say('a')}\n\n${end}`, 'a'],
  ['several data lines', 'data: {"text":\ndata: "a"\ndata: }\n\ndata: [END]\n\n', 'a'],
  ['several data lines with an empty one between', 'data: {"text":\ndata\ndata: "a"}\n\ndata: [END]\n\n', 'a'],
  ['comments', `:\n: OPENROUTER PROCESSING\n\n:data: {"text":"no"}\ndata: ${say('a')}\n:\0\n\n: x\n\n${end}`, 'a'],
  ['a long comment', `:${'x'.repeat(5_000)}\ndata: ${say('a')}\n\n${end}`, 'a'],
  ['an event without data', `event: ping\n\ndata: ${say('a')}\n\n${end}`, 'a'],
  ['empty data', `data:\n\ndata\n\ndata: ${say('a')}\n\n${end}`, 'a'],
  ['empty data on two lines', `data\ndata\n\ndata: ${say('a')}\n\n${end}`, 'a'],
  [
    'names, ids and times',
    `event: message\nid: 1\nretry: 3000\ndata: ${say('a')}\n\nid: 2\nretry: soon\ndata: ${say('b')}\nid\n\n${end}`,
    'ab',
  ],
  ['an id with NUL', `id: a\0b\ndata: ${say('a')}\n\n${end}`, 'a'],
  [
    'fields that nobody knows',
    `foobar: x\njust some text\n data: no\ndata\0: no\nDATA: no\ndata : no\ndata: ${say('a')}\n\n${end}`,
    'a',
  ],
  ['the name behind the data', `data: ${say('a')}\nevent: x\n\n${end}`, 'a'],
  ['blank lines without end', `\n\n\n\n\r\n\r\ndata: ${say('a')}\n\n\n\n${end}\n\n`, 'a'],
  ['no closing blank line', `data: ${say('a')}\n\ndata: [END]`, 'a'],
  ['two, three and four bytes a character', `data: ${say('ñ 漢 😀 \u2028 \u0000')}\n\n${end}`, 'ñ 漢 😀 \u2028 \u0000'],
  ['a character that JSON escapes by halves', 'data: {"text":"\\ud83d\\ude00"}\n\ndata: [END]\n\n', '😀'],
  [
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('data: {"text":"a'), Buffer.from([0xff, 0xc3, 0x28, 0xe2, 0x82]), Buffer.from(`b"}\n\n${end}`)]),
    'a\ufffd\ufffd(\ufffdb',
  ],
  ['a line end in the terminator', `data: ${say('a')}\n\ndata: [END]\r\r\n`, 'a'],
  ['an event after the terminator', `data: ${say('a')}\n\n${end}data: ${say('late')}\n\n`, 'a'],
  ['garbage after the terminator', `data: ${say('a')}\n\n${end}data: {{{\n\n`, 'a'],
]

describe('ST1 an event stream, whole and cut at every byte', () => {
  it.each(framings)('%s', (_, body, expected) => {
    const mw = runtime(nowhere)
    const exchange = recorded(body)
    const answer = text(mw, exchange)
    expect(answer).toMatchObject({ text: expected })
    const size = Buffer.byteLength(body)
    for (let at = 1; at < size; at += size > 1_000 ? 37 : 1) expect(text(mw, exchange, [at])).toEqual(answer)
    for (let length = 1; length <= 7; length++) expect(text(mw, exchange, length)).toEqual(answer)
  })

  it('many events, cut anywhere, a hundred times', () => {
    const mw = runtime(nowhere)
    const words = ['a', '😀', '漢字', '"\\\n', '[END]', ' ']
    const pieces = array(constantFrom(...words), { maxLength: 12 })
    assert(
      property(
        pieces,
        constantFrom('\n', '\r', '\r\n'),
        array(integer({ min: 0, max: 400 }), { maxLength: 8 }),
        (said, line, cuts) => {
          const body = `${sse(...said.map((word) => ({ text: word })))}${end}`.replaceAll('\n', line)
          const places = cuts.filter((at) => at < Buffer.byteLength(body)).sort((left, right) => left - right)
          const { events, result } = told(mw, recorded(body), places)
          expect(result.text).toBe(said.join(''))
          expect(events.flatMap((event) => (event.type === 'text' ? [event.delta] : []))).toEqual(said)
        },
      ),
    )
  })
})

describe('ST1 one JSON value a line, whole and cut at every byte', () => {
  it.each([
    ['LF', `${say('a')}\n${say('b')}\n{"stop":"done"}\n`, 'ab'],
    ['CRLF', `${say('a')}\r\n${say('b')}\r\n{"stop":"done"}\r\n`, 'ab'],
    ['blank lines', `\n\n${say('a')}\n\n \n${say('b')}\n{"stop":"done"}\n\n`, 'ab'],
    ['no last line end', `${say('a')}\n${say('b')}\n{"stop":"done"}`, 'ab'],
    ['a byte order mark', `\ufeff${say('a')}\n${say('b')}\n{"stop":"done"}`, 'ab'],
    ['characters of several bytes', `${say('ñ漢')}\n${say('😀')}\n{"stop":"done"}`, 'ñ漢😀'],
  ])('%s', (_, body, expected) => {
    const mw = runtime(nowhere)
    const exchange = recorded(body, 'application/x-ndjson')
    const answer = text(mw, exchange)
    expect(answer).toMatchObject({ text: expected })
    for (let at = 1; at < Buffer.byteLength(body); at++) expect(text(mw, exchange, [at])).toEqual(answer)
    expect(text(mw, exchange, 1)).toEqual(answer)
  })
})

describe('ST1 JSON documents, whole and cut at every byte', () => {
  it.each([
    ['one', '{"id":"r","text":"a","stop":"done"}', 'a'],
    ['one, printed prettily', '\n {\n  "text": "a\\n}{][,",\n "stop": "done" }\n\n', 'a\n}{][,'],
    ['an array of them', `[${say('a')},\n${say('b')}\r\n,{"stop":"done"}]`, 'ab'],
    ['an array with strings full of brackets', `[${say('],"}{[\\')} , ${say('b')},{"stop":"done"}]\n`, '],"}{[\\b'],
    ['several behind each other', `${say('a')}${say('b')}\n{"stop":"done"}`, 'ab'],
    ['several on lines of their own', `${say('a')}\n\n${say('b')}\n{"stop":"done"}\n`, 'ab'],
    ['a byte order mark', `\ufeff${say('a')}`, 'a'],
    ['an empty array', '[]', ''],
  ])('%s', (_, body, expected) => {
    const mw = runtime(nowhere)
    const exchange = recorded(body, 'application/json')
    const answer = text(mw, exchange)
    expect(answer).toMatchObject({ text: expected })
    for (let at = 1; at < Buffer.byteLength(body); at++) expect(text(mw, exchange, [at])).toEqual(answer)
    expect(text(mw, exchange, 1)).toEqual(answer)
  })

  it('JSON under the label of an event stream is read as what it is', () => {
    const mw = runtime(nowhere)
    for (const cut of [undefined, 1]) {
      expect(text(mw, recorded('  {"text":"a"}'), cut)).toMatchObject({ text: 'a' })
      expect(text(mw, recorded('[{"text":"a"},{"text":"b"}]'), cut)).toMatchObject({ text: 'ab' })
      expect(text(mw, recorded(`data: ${say('a')}\n\n${end}`, 'application/json'), cut)).toMatchObject({ text: 'a' })
    }
  })
})

describe('ST2 an event without an end', () => {
  const kilobyte = 1_024
  const megabyte = kilobyte * kilobyte

  it.each([
    ['one line of data', 'text/event-stream', `data: {"text":"${'x'.repeat(17 * megabyte)}`],
    ['data lines', 'text/event-stream', `data: ${'x'.repeat(121)}\n`.repeat((18 * megabyte) / 128)],
    ['one line of JSON', 'application/x-ndjson', `{"text":"${'x'.repeat(17 * megabyte)}`],
    ['one item of an array', 'application/json', `[{"text":"${'x'.repeat(17 * megabyte)}`],
    ['one document', 'application/json', `{"text":"${'x'.repeat(17 * megabyte)}`],
    ['nothing but space', 'application/json', ' '.repeat(17 * megabyte)],
  ])('%s: an error at 16 MB, in less than two seconds', (_, type, body) => {
    const mw = runtime(nowhere)
    const started = performance.now()
    expect(text(mw, recorded(body, type), kilobyte)).toMatchObject({
      kind: 'protocol',
      message: expect.stringContaining('larger than 16 MB') as string,
    })
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  it('comments cost nothing, however long they are', () => {
    const mw = runtime(nowhere)
    for (const comments of [`:${'x'.repeat(17 * megabyte)}\n`, ': ping\n\n'.repeat(500_000)]) {
      expect(told(mw, recorded(`${comments}data: ${say('a')}\n\n${end}`), 16 * kilobyte).result.text).toBe('a')
    }
  })

  it.each([
    ['an event stream', 'text/event-stream', (json: string) => `data: ${json}\n\n${end}`],
    ['lines of JSON', 'application/x-ndjson', (json: string) => `${json}\n{"stop":"done"}\n`],
    ['an array', 'application/json', (json: string) => `[${json}]`],
    ['a document', 'application/json', (json: string) => json],
  ])('one of 15 MB that ends comes through %s, in pieces of 1 KB, in less than two seconds', (_, type, framed) => {
    const mw = runtime(nowhere)
    const long = 'x'.repeat(15 * megabyte)
    const exchange = recorded(framed(say(long)), type)
    const started = performance.now()
    expect(told(mw, exchange, kilobyte).result.text.length).toBe(long.length)
    expect(performance.now() - started).toBeLessThan(4_000)
  })
})

describe('ST3 what counts as the end of a stream', () => {
  const proofs = (complete: string): string => nowhere.replace('complete: [done, finish]', `complete: ${complete}`)
  const bodies = {
    'ends with nothing': sse({ text: 'a' }),
    'ends in the middle of an event': `${sse({ text: 'a' })}data: {"text":"b`,
    'ends in the middle of its last line': `${sse({ text: 'a' })}dat`,
    'has its terminator and no finish': sse({ text: 'a' }, '[END]'),
    'has a finish and no terminator': sse({ text: 'a' }, { stop: 'done' }),
    'has a closing event': sse({ text: 'a' }, { type: 'bye' }),
    'has everything': sse({ text: 'a' }, { stop: 'done' }, { type: 'bye' }, '[END]'),
  } as const
  type Name = keyof typeof bodies

  it.each<[string, Name[]]>([
    ['[done, finish]', ['has its terminator and no finish', 'has a finish and no terminator', 'has everything']],
    ['[done]', ['has its terminator and no finish', 'has everything']],
    ['[finish]', ['has a finish and no terminator', 'has everything']],
    ['[{ when: { type: bye } }]', ['has a closing event', 'has everything']],
    ['[finish, { when: { type: bye } }]', ['has a finish and no terminator', 'has a closing event', 'has everything']],
    [
      '[end]',
      [
        'ends with nothing',
        'ends in the middle of its last line',
        'has its terminator and no finish',
        'has a finish and no terminator',
        'has a closing event',
        'has everything',
      ],
    ],
  ])('complete: %s', (complete, proved) => {
    const mw = runtime(proofs(complete))
    for (const name of Object.keys(bodies) as Name[]) {
      for (const cut of [undefined, 1]) {
        const answer = text(mw, recorded(bodies[name]), cut)
        expect({ name, answer }).toMatchObject({
          name,
          answer: proved.includes(name) ? { text: 'a' } : { kind: 'truncated', partial: 'a' },
        })
      }
    }
  })

  it('JSON that is cut is a truncation, and so is an array without its bracket', () => {
    const mw = runtime(nowhere)
    for (const body of ['{"text":"a"', '[{"text":"a"}', '[{"text":"a"},', '[', '{"text":"a']) {
      for (const cut of [undefined, 1])
        expect({ body, ...(text(mw, recorded(body, 'application/json'), cut) as object) }).toMatchObject({
          body,
          kind: 'truncated',
        })
    }
  })

  it('a finish without a reason that is known is `stop`, or `tool_calls` if a call was made', () => {
    const mw = runtime(nowhere)
    expect(told(mw, recorded(sse({ text: 'a' }, '[END]'))).result).toMatchObject({ finishReason: 'stop' })
    expect(told(mw, recorded(sse({ calls: [{ at: 0, id: 'c', name: 'f', args: '{}' }] }, '[END]'))).result).toMatchObject({
      finishReason: 'tool_calls',
    })
    expect(told(mw, recorded(sse({ calls: [{ at: 0, id: 'c', name: 'f', args: '{}' }] }, { stop: 'done' }))).result).toMatchObject({
      finishReason: 'tool_calls',
      rawFinishReason: 'done',
    })
    expect(told(mw, recorded(sse({ text: 'a' }, { stop: 'odd' }))).result).toMatchObject({
      finishReason: 'other',
      rawFinishReason: 'odd',
    })
  })
})

describe('ST5 an event that isn’t JSON', () => {
  it.each([
    ['text/event-stream', `data: {"text":"a"}\n\ndata: {"text": ${canary}}\n\n${end}`],
    ['text/event-stream', `data: {"text":"a"}\n\ndata: ${canary}\n\n${end}`],
    ['application/x-ndjson', `{"text":"a"}\n{"text": ${canary}}\n`],
    ['application/json', `[{"text":"a"},{"text": ${canary}}]`],
    ['application/json', `{"text": ${canary}}`],
    ['application/json', `${canary}`],
  ])('%s %j: a typed error that doesn’t quote it', (type, body) => {
    const mw = runtime(nowhere)
    for (const cut of [undefined, 1]) {
      let error: unknown
      try {
        told(mw, recorded(body, type), cut)
      } catch (thrown) {
        error = thrown
      }
      expect(error).toMatchObject({ kind: 'protocol' })
      expect(printed(error)).not.toContain('canary')
    }
  })
})

describe('ST10 text that is hardly text', () => {
  it('any bytes at all are events or a ModelwireError, never anything else', () => {
    const mw = runtime(nowhere)
    const bytes = array(integer({ min: 0, max: 255 }), { maxLength: 200 })
    assert(
      property(
        bytes,
        constantFrom('text/event-stream', 'application/json', 'application/x-ndjson', ''),
        integer({ min: 1, max: 9 }),
        (body, type, cut) => {
          expect(text(mw, recorded(Uint8Array.from(body), type), cut)).toBeDefined()
          expect(
            text(
              mw,
              recorded(
                Buffer.concat([Buffer.from('data: {"text":"'), Uint8Array.from(body), Buffer.from('"}\n\ndata: [END]\n\n')]),
              ),
              cut,
            ),
          ).toBeDefined()
        },
      ),
      { numRuns: 300 },
    )
  })
})
