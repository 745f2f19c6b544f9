import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createRuntime, type Exchange, ModelwireError } from '../../src/index.ts'
import { readExchanges, type Route, routeOf, sharedRecordings } from '../tools/exchanges.ts'

/** A stream read by its shape says exactly what it says when every frame is parsed. */
const runtime = createRuntime({ env: {} })

function outcome(exchange: Exchange, route: Omit<Route, 'api'>, learn: boolean, cut?: number): string {
  const options = {
    provider: route.use,
    operation: route.operation,
    learn,
    ...(cut === undefined ? {} : { cut }),
    ...(route.wire === undefined ? {} : { wire: route.wire }),
  }
  const told = (): unknown => {
    try {
      return runtime.replay(exchange, options).events
    } catch (error) {
      if (error instanceof ModelwireError) return [error.kind, error.message, { ...error.partial, timing: undefined }]
      throw error
    }
  }
  return JSON.stringify(told()).replace(/call_[0-9a-f]{24}/g, 'made up')
}

function expectSame(exchange: Exchange, route: Omit<Route, 'api'>): void {
  expect(outcome(exchange, route, true)).toBe(outcome(exchange, route, false))
}

const sse = (frames: string[], end = 'data: [DONE]\n\n'): Exchange => ({
  response: {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    bodyText: frames.map((frame) => `data: ${frame}\n\n`).join('') + end,
  },
})
const chunk = (content: string, more = ''): string =>
  `{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":${content}}${more}}]}`
const chat = { use: 'openai-chat', operation: 'chat' }
const said = (exchange: Exchange): string => runtime.replay(exchange, { provider: 'openai-chat' }).result.text

describe('a stream read by the shape of its frames', () => {
  const usual = ['"a"', '"b"', '"c"', '"d"'].map((text) => chunk(text))

  it.each([
    ['an escape', '"\\u0041\\n"', 'A\n'],
    ['a quote', '"\\""', '"'],
    ['a word that the manifest knows', '"stop"', 'stop'],
    ['a key of the manifest', '"choices"', 'choices'],
    ['nothing', '""', ''],
    ['null', 'null', ''],
    ['a long text', `"${'long '.repeat(50)}"`, 'long '.repeat(50)],
    ['signs of other scripts', '"héé 漢字 🎉"', 'héé 漢字 🎉'],
    ['what looks like the end of the frame', '"}}]}"', '}}]}'],
  ])('takes %s in its midst', (_, literal, text) => {
    const stream = sse([...usual, chunk(literal), chunk('"e"'), chunk('"f"'), chunk('"!"', ',"finish_reason":"stop"')])
    expect(said(stream)).toBe(`abcd${text}ef!`)
    expectSame(stream, chat)
  })

  it('sees a field that comes, a finish, and a number that changes', () => {
    const numbered = [1, 2, 3, 40, 500].map(
      (n) => `{"id":"c1","model":"m","created":${n},"choices":[{"index":0,"delta":{"content":"w${n}"}}]}`,
    )
    const stream = sse([...numbered, chunk('"x"'), ...numbered, chunk('"y"', ',"finish_reason":"stop"')])
    expect(said(stream)).toBe('w1w2w3w40w500xw1w2w3w40w500y')
    expectSame(stream, chat)
  })

  it('keeps choices apart though only their number differs', () => {
    const frames = [0, 1, 2, 0, 1, 2, 0, 1, 2].map(
      (n, at) => `{"id":"c1","model":"m","choices":[{"index":${n},"delta":{"content":"${at}"}}]}`,
    )
    const ends = [0, 1, 2].map((n) => `{"choices":[{"index":${n},"delta":{},"finish_reason":"stop"}]}`)
    const { result } = runtime.replay(sse([...frames, ...ends]), { provider: 'openai-chat', choices: 3 })
    expect(result.choices.map(({ text }) => text)).toEqual(['036', '147', '258'])
  })

  const framed: [what: string, stream: string][] = [
    ['ids of events', usual.map((frame, at) => `id: ${at}\nevent: x\ndata: ${frame}\n\n`).join('')],
    ['lines that end in CRLF', usual.map((frame) => `data: ${frame}\r\n\r\n`).join('')],
    ['lines that end in CR', usual.map((frame) => `data: ${frame}\r\r`).join('')],
    ['comments in between', usual.map((frame) => `: ping\n\ndata: ${frame}\n\n`).join('')],
    ['other spaces in each frame', usual.map((frame, at) => `data:${' '.repeat(at)}${frame}${' '.repeat(3 - at)}\n\n`).join('')],
    ['frames over several lines', usual.map((frame) => `data: ${frame.replace(',', ',\ndata: ')}\n\n`).join('')],
  ]
  it.each(framed)('reads %s, cut anywhere', (_, text) => {
    const end = `data: ${chunk('""', ',"finish_reason":"stop"')}\n\n`
    const exchange: Exchange = {
      response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText: text.repeat(3) + end },
    }
    expect(said(exchange)).toBe('abcdabcdabcd')
    for (const cut of [1, 2, 3, 7, 50, 101]) expect(outcome(exchange, chat, true, cut)).toBe(outcome(exchange, chat, false, cut))
  })

  it('takes what another stream has taught for what it is worth', () => {
    const stream = (id: string, model: string, words: string[]): Exchange =>
      sse([
        ...words.map(
          (word) =>
            `{"id":"${id}","created":${id.length},"model":"${model}","choices":[{"index":0,"delta":{"content":"${word}"}}]}`,
        ),
        `{"id":"${id}","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
      ])
    const words = ['one', 'two', 'three', 'four']
    for (const [id, model] of [
      ['c1', 'm'],
      ['c22', 'm'],
      ['c333', 'n'],
      ['stop', 'm'],
      ['c1', 'choices'],
    ] as const) {
      const { events, result } = runtime.replay(stream(id, model, words), { provider: 'openai-chat' })
      expect(events[0]).toEqual({ type: 'start', id, model })
      expect(result.text).toBe(words.join(''))
      expectSame(stream(id, model, words), chat)
    }
  })

  it('lets blanks between values come and go, and keeps those of a name', () => {
    const frames = [' ', '', '   ', '\t', '', ' '].map(
      (blank, at) =>
        `event:${blank}content_block_delta\ndata: {"type":"content_block_delta","index":0${blank},"delta":{"type":"text_delta","text":"w${at}"}${blank}}`,
    )
    const begin = '{"type":"message_start","message":{"id":"m1","model":"m","content":[]}}'
    const bodyText = [`data: ${begin}`, ...frames, ...frames, 'data: {"type":"message_stop"}']
      .map((frame) => `${frame}\n\n`)
      .join('')
    const exchange = { response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText } }
    expect(runtime.replay(exchange, { provider: 'anthropic-messages' }).result.text).toBe('w0w1w2w3w4w5'.repeat(2))
    expectSame(exchange, { use: 'anthropic-messages', operation: 'chat' })
  })

  it('takes bytes that are no UTF-8 for what a decoder takes them for', () => {
    const { bodyText = '' } = sse([...usual, chunk('"@"'), chunk('"e"', ',"finish_reason":"stop"')]).response
    const [before = '', after = ''] = bodyText.split('@')
    const body = Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(after)])
    const exchange: Exchange = {
      response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyBase64: body.toString('base64') },
    }
    expect(said(exchange)).toBe('abcd\uFFFD(\uFFFDe')
    expectSame(exchange, chat)
  })

  it('counts what was counted last, where each frame counts and they differ in more than that', () => {
    const google = { use: 'google-generate-content', operation: 'chat' }
    const frame = (text: string, count: number, more = ''): string =>
      `{"candidates":[{"content":{"parts":[{"text":"${text}"}],"role":"model"}${more}}],"usageMetadata":{"promptTokenCount":11,"candidatesTokenCount":${count}}}`
    const bare = (text: string): string => frame(text, 0).replace(/,"usageMetadata".*/, '}')
    const words = ['one', 'two', 'three', 'four', 'five']
    const texts = words.map((word, at) => frame(word, at + 20))
    const thoughts = words.map((word, at) => frame(word, at + 50).replace('"text"', '"thought":true,"text"'))
    const end = frame('.', 99, ',"finishReason":"STOP"')
    for (const frames of [
      [...texts, end],
      [...thoughts, ...texts, ...thoughts, ...texts, end],
      [...texts, ...texts, ...words.map(bare), bare('.').replace('}],"role"', '}],"finishReason":"STOP","role"')],
      [...texts, ...words.map(bare), ...texts, bare('?'), frame('!', 0), end],
    ]) {
      const stream = sse(frames, '')
      for (const cut of [40, 333, 100_000]) expect(outcome(stream, google, true, cut)).toBe(outcome(stream, google, false, cut))
    }
    const { usage } = runtime.replay(sse([...texts, ...texts, end], ''), { provider: 'google-generate-content' }).result
    expect(usage).toMatchObject({ inputTokens: 11, outputTokens: 99 })
  })

  it('counts what is counted in every frame', () => {
    const counted = (at: number): string =>
      chunk(`"${at}"`).replace(/}$/, `,"usage":{"prompt_tokens":7,"completion_tokens":${at}}}`)
    const stream = sse([1, 2, 3, 40, 500].map(counted).concat(chunk('""', ',"finish_reason":"stop"')))
    const { result } = runtime.replay(stream, { provider: 'openai-chat' })
    expect(result.text).toBe('12340500')
    expect(result.usage).toMatchObject({ inputTokens: 7, outputTokens: 500 })
    expectSame(stream, chat)
  })

  it.each([
    '{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":"a\tb"}}]}',
    `${chunk('"e"')}}`,
    chunk('"e"').slice(0, -1),
    chunk('e'),
  ])('refuses %j as a parser does', (broken) => {
    const stream = sse([...usual, broken])
    expect(() => said(stream)).toThrow(expect.objectContaining({ kind: 'protocol' }))
    expectSame(stream, chat)
  })
})

const fixtures = readExchanges(fileURLToPath(new URL('../fixtures', import.meta.url)))
const recordings = sharedRecordings === undefined ? [] : readExchanges(sharedRecordings)
const streams = [...fixtures, ...recordings].filter(
  ({ framing, response }) => ['sse', 'ndjson', 'google-array'].includes(framing) && response.bodyText !== undefined,
)

it(`${streams.length} streams say the same with it and without it`, () => {
  const different = streams.filter((stream) => {
    const route = routeOf(stream)
    return route !== undefined && outcome(stream, route, true) !== outcome(stream, route, false)
  })
  expect(different.map(({ file }) => file)).toEqual([])
})

/** Mutations: the frames of real streams with characters changed, taken out, put in, doubled; values exchanged. */
const wanted = 100_000
const perStream = 25

it(`${wanted.toLocaleString('en')} mutated frames say the same with it and without it`, () => {
  let state = 42
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const signs = [
    '"',
    '\\',
    '}',
    '{',
    ',',
    ':',
    '0',
    '1',
    '-',
    '.',
    'e',
    ' ',
    'a',
    '\u00e9',
    '\ud83c',
    '\u0001',
    '\r',
    '\n',
    '\u00a0',
    'null',
    'stop',
    '""',
    '[',
  ]
  const mutate = (line: string): string => {
    const at = random(line.length)
    switch (random(5)) {
      case 0:
        return line.slice(0, at) + line.slice(at + 1)
      case 1:
        return line.slice(0, at) + (signs[random(signs.length)] ?? '') + line.slice(at + 1)
      case 2:
        return line.slice(0, at) + (signs[random(signs.length)] ?? '') + line.slice(at)
      case 3:
        return line.replace(/:"[^"]*"/, `:"${signs[random(signs.length)] ?? ''}"`)
      default:
        return `${line}\n\n${line}`
    }
  }
  const short = streams.filter(
    ({ response }) => (response.bodyText ?? '').length < 12_000 && (response.bodyText ?? '').split('\n').length > 12,
  )
  const different: string[] = []
  for (let mutated = 0; mutated < wanted;) {
    const stream = short[random(short.length)]
    const route = stream === undefined ? undefined : routeOf(stream)
    if (stream === undefined || route === undefined) continue
    // A frame that breaks ends the stream, so most mutations come late: what is before them has taught a shape.
    const lines = (stream.response.bodyText ?? '').split('\n')
    for (let count = 0; count < perStream; count++, mutated++) {
      const index = lines.length - 1 - random(Math.ceil(lines.length / 2))
      lines[index] = mutate(lines[index] ?? '')
    }
    const text = lines.join(random(4) === 0 ? '\r\n' : '\n')
    const changed = { ...stream, response: { ...stream.response, bodyText: text } }
    const cut = random(2) === 0 ? undefined : 1 + random(400)
    if (outcome(changed, route, true, cut) !== outcome(changed, route, false, cut))
      different.push(`${stream.file} in ${cut}\n${text}`)
  }
  expect(different.slice(0, 3)).toEqual([])
}, 120_000)
