import { describe, expect, it } from 'vitest'
import { failureOf } from '../tools/call.ts'
import { all, canary, failing, runtime } from '../tools/demo.ts'
import { serve } from '../tools/server.ts'

/**
 * A provider that nobody ever saw: own address, own body, own framing (lines, each frame wrapped in base64), own key header,
 * own words for everything. It works from these lines of YAML.
 */
const invented = (url: string): string => `
id: invented
name: The provider that isn't
base: ${url}/{$env.region}/api
variables: { region: { env: INVENTED_REGION, default: "north" } }
auth: { header: { X-Invented-Token: INVENTED_TOKEN }, prefix: "Token=" }
headers: { X-Client: modelwire, X-Model: $.model }
query: { version: "7" }
define:
  turn:
    $switch: $.role
    user: { who: human, says: "$.content[?(@.type=='text')].text | join" }
    assistant:
      who: machine
      says: "$.content[?(@.type=='text')].text | join"
      asked: { $each: $.content, $where: { type: tool_call }, $do: { nr: $.id, fn: $.name, with: $.arguments | json } }
    tool: { $each: $.content, $do: { who: tool, nr: $.id, went: { $if: { failed: true }, $then: badly, $else: well }, says: "$.content[*].text | join" } }
operations:
  chat:
    post: "/talk/{$.model}/{$.stream}"
    headers: { X-Stream: "{$.stream}" }
    body:
      talk:
        - { $each: $.system, $do: { who: rules, says: $.text } }
        - { $each: $.messages, $do: { $use: turn } }
      knobs:
        warmth: { $if: { temperature: "*" }, $then: $.temperature }
        longest: $.maxTokens ?? 64
        forbidden_to_say: $.stop
        effort: { $switch: $.reasoning.effort, low: 1, high: 9, $else: $.reasoning.budgetTokens }
      toolbox: { $each: $.tools, $where: { name: "*" }, $do: { fn: $.name, what: $.description ?? "", takes: $.parameters } }
      must_use: { $switch: $.toolChoice.type, required: any, tool: $.toolChoice.name, none: nothing }
    decode: ndjson
    select: $.box | unbase64 | parse
    complete: [{ when: { t: bye } }]
    events:
      hi: { when: { t: hi }, emit: { type: start, id: $.call, model: $.who } }
      think: { when: { t: hmm }, emit: { type: reasoning, delta: $.words } }
      say: { when: { t: say }, emit: { type: text, delta: $.words } }
      tools: { when: { t: use }, each: $.fns, emit: { type: tool, index: $.nr, id: $.tag, name: $.fn, delta: $.piece } }
      cost: { when: { t: bye }, emit: [{ type: usage, raw: $.cost }, { type: finish, raw: $.why }] }
      oops: { when: { t: oops }, emit: { type: error, body: $ } }
    finish: { satisfied: stop, breathless: length, handing_over: tool_calls, shy: content_filter, $else: other }
    usage:
      inputTokens: { $sum: [$.heard, $.remembered] }
      cachedInputTokens: $.remembered
      outputTokens: { $minus: [$.all, $.heard, $.remembered] }
error: { message: $.complaint.text, type: $.complaint.sort, code: $.complaint.nr }
errors:
  - { when: { code: 17 }, kind: context_length }
  - { when: { type: [tired, asleep] }, kind: overloaded, hint: "let it rest" }
`

const box = (frame: unknown): string => `${JSON.stringify({ box: Buffer.from(JSON.stringify(frame)).toString('base64') })}\n`
const bye = (why: string): string => box({ t: 'bye', why, cost: { heard: 10, remembered: 5, all: 22 } })

async function provider(lines: string[], status = 200, type = 'application/x-ndjson') {
  const server = await serve(async (_, response) => {
    response.writeHead(status, { 'content-type': type })
    for (const line of lines) response.write(line)
    response.end()
  })
  return { server, mw: runtime(invented(server.url), { env: { INVENTED_TOKEN: canary } }) }
}

const model = 'invented/one/big model'

describe('a provider invented in this test', () => {
  it('streams', async () => {
    const { mw, server } = await provider([
      box({ t: 'hi', call: 'c-1', who: 'one-7' }),
      box({ t: 'hmm', words: 'well' }),
      box({ t: 'say', words: 'Hel' }),
      box({ t: 'tick' }),
      box({ t: 'say', words: 'lo' }),
      bye('satisfied'),
    ])
    const stream = mw.stream({
      model,
      prompt: 'hi',
      system: 'be kind',
      temperature: 0,
      maxTokens: 5,
      stop: ['.', '!'],
      reasoning: { effort: 'high' },
    })
    expect(await all(stream)).toEqual([
      { type: 'start', id: 'c-1', model: 'one-7' },
      { type: 'reasoning', delta: 'well' },
      { type: 'text', delta: 'Hel' },
      { type: 'text', delta: 'lo' },
      { type: 'finish', reason: 'stop', rawReason: 'satisfied' },
      {
        type: 'usage',
        inputTokens: 15,
        cachedInputTokens: 5,
        outputTokens: 7,
        totalTokens: 22,
        raw: { heard: 10, remembered: 5, all: 22 },
      },
    ])
    const [request] = server.requests
    expect(request).toMatchObject({ method: 'POST', path: '/north/api/talk/one%2Fbig%20model/true?version=7' })
    expect(request?.headers).toMatchObject({
      'x-invented-token': `Token=${canary}`,
      'x-client': 'modelwire',
      'x-model': 'one/big model',
      'x-stream': 'true',
      'content-type': 'application/json',
    })
    expect(request?.headers).not.toHaveProperty('authorization')
    expect(JSON.parse(String(request?.body))).toEqual({
      talk: [
        { who: 'rules', says: 'be kind' },
        { who: 'human', says: 'hi' },
      ],
      knobs: { warmth: 0, longest: 5, forbidden_to_say: ['.', '!'], effort: 9 },
    })
  })

  it('answers whole', async () => {
    const { mw, server } = await provider([
      box({ t: 'hi', call: 'c-2', who: 'one-7' }),
      box({ t: 'say', words: 'Hello' }),
      bye('breathless'),
    ])
    const reply = await mw.chat({ model, prompt: 'hi', reasoning: { budgetTokens: 77 } })
    expect(reply).toMatchObject({
      id: 'c-2',
      model: 'one-7',
      provider: 'invented',
      text: 'Hello',
      finishReason: 'length',
      rawFinishReason: 'breathless',
      warnings: [],
      message: { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
    })
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual({
      talk: [{ who: 'human', says: 'hi' }],
      knobs: { longest: 64, effort: 77 },
    })
    expect(server.requests[0]?.path).toContain('/false?')
  })

  it('calls tools, and takes their results back', async () => {
    const { mw, server } = await provider([
      box({ t: 'say', words: 'Let me look.' }),
      box({
        t: 'use',
        fns: [
          { nr: 4, fn: 'weather', tag: 't-4' },
          { nr: 9, fn: 'time', tag: 't-9', piece: '{}' },
        ],
      }),
      box({
        t: 'use',
        fns: [
          { nr: 4, piece: '{"city":' },
          { nr: 4, piece: '"Rome"}' },
        ],
      }),
      bye('handing_over'),
    ])
    const tools = [{ name: 'weather', description: 'Looks out', parameters: { type: 'object' } }, { name: 'time' }]
    const first = await mw.stream({ model, prompt: 'weather?', tools, toolChoice: 'required' }).result
    expect(first.finishReason).toBe('tool_calls')
    expect(first.toolCalls).toEqual([
      { id: 't-4', name: 'weather', arguments: { city: 'Rome' }, argumentsText: '{"city":"Rome"}' },
      { id: 't-9', name: 'time', arguments: {}, argumentsText: '{}' },
    ])
    await mw.stream({
      model,
      tools,
      toolChoice: { type: 'tool', name: 'time' },
      messages: [
        { role: 'user', content: 'weather?' },
        first.message,
        { role: 'tool', content: [{ type: 'tool_result', id: 't-4', content: { sky: 'blue' } }] },
        { role: 'tool', content: [{ type: 'tool_result', id: 't-9', content: 'no clock', failed: true }] },
      ],
    }).result
    expect(JSON.parse(String(server.requests[0]?.body))).toMatchObject({
      toolbox: [
        { fn: 'weather', what: 'Looks out', takes: { type: 'object' } },
        { fn: 'time', what: '', takes: { type: 'object', properties: {} } },
      ],
      must_use: 'any',
    })
    expect(JSON.parse(String(server.requests[1]?.body))).toMatchObject({
      must_use: 'time',
      talk: [
        { who: 'human', says: 'weather?' },
        {
          who: 'machine',
          says: 'Let me look.',
          asked: [
            { nr: 't-4', fn: 'weather', with: '{"city":"Rome"}' },
            { nr: 't-9', fn: 'time', with: '{}' },
          ],
        },
        { who: 'tool', nr: 't-4', went: 'well', says: '{"sky":"blue"}' },
        { who: 'tool', nr: 't-9', went: 'badly', says: 'no clock' },
      ],
    })
  })

  it('fails in its own words: refused, in a 200, and in mid-stream', async () => {
    const refused = await provider(['{"complaint":{"text":"too much to read","sort":"size","nr":17}}'], 422, 'application/json')
    expect(await failureOf(refused.mw.chat({ model, prompt: 'hi' }))).toMatchObject({
      kind: 'context_length',
      code: 'E1006',
      message: 'too much to read',
      status: 422,
      provider: 'invented',
      model: 'one/big model',
    })
    const inside = await provider([box({ t: 'oops', complaint: { text: 'zzz', sort: 'asleep' } })])
    expect(await failureOf(inside.mw.chat({ model, prompt: 'hi' }))).toMatchObject({
      kind: 'overloaded',
      message: 'zzz',
      hint: 'let it rest',
      attempts: 3,
    })
    const middle = await provider([
      box({ t: 'say', words: 'half' }),
      box({ t: 'oops', complaint: { text: 'tired now', sort: 'tired' } }),
    ])
    const { error, events } = await failing(middle.mw.stream({ model, prompt: 'hi' }))
    expect(error).toMatchObject({ kind: 'overloaded', message: 'tired now', partial: { text: 'half' } })
    expect(events.map((event) => event.type)).toEqual(['start', 'text'])
  })

  it('that stops without its goodbye is truncated', async () => {
    const { mw } = await provider([box({ t: 'say', words: 'half' })])
    expect((await failing(mw.stream({ model, prompt: 'hi' }))).error).toMatchObject({
      kind: 'truncated',
      partial: { text: 'half' },
    })
  })

  it('has a warning for what it has no use for, and takes it as an error when strict', async () => {
    const { mw } = await provider([box({ t: 'say', words: 'a' }), bye('satisfied')])
    const request = { model, prompt: 'hi', seed: 5, topP: 0.5, reasoning: { effort: 'middling' }, toolChoice: 'auto' as const }
    const reply = await mw.chat(request)
    expect(reply.warnings).toMatchObject([
      {
        field: 'topP',
        reason: expect.stringContaining('"invented" has no use for `topP`') as string,
        where: expect.stringMatching(/invented\.yaml:\d+:\d+$/) as string,
      },
      { field: 'seed' },
      { field: 'toolChoice.type', reason: expect.stringContaining('auto') as string },
    ])
    expect(await failureOf(mw.chat({ ...request, strict: true }))).toMatchObject({
      kind: 'invalid_request',
      where: expect.stringContaining('invented.yaml') as string,
    })
  })

  it('can be extended by another in three lines', async () => {
    const { server } = await provider([box({ t: 'say', words: 'a' }), bye('content')])
    const mw = runtime(
      [
        invented(server.url),
        'id: cousin\nextends: invented\noperations: { chat: { finish: { content: stop } } }\nauth: { query: { key: COUSIN_KEY } }\n',
      ],
      { env: { COUSIN_KEY: 'k&1' } },
    )
    expect(await mw.chat({ model: 'cousin/m', prompt: 'hi' })).toMatchObject({
      provider: 'cousin',
      text: 'a',
      finishReason: 'stop',
    })
    expect(server.requests[0]?.path).toBe('/north/api/talk/m/false?version=7&key=k%261')
    expect(server.requests[0]?.headers).not.toHaveProperty('x-invented-token')
  })

  it('embeds, when it is given the operation', async () => {
    const server = await serve(
      (_, response) => void response.end('{"rows":[{"nr":1,"v":[3,4]},{"nr":0,"v":[1,2]}],"cost":{"heard":2}}'),
    )
    const more =
      '  embed:\n    post: /measure\n    body: { texts: $.input, size: $.dimensions }\n    events: { rows: { each: $.rows, emit: { type: embedding, index: $.nr, vector: $.v } }, cost: { emit: { type: usage, raw: $.cost } } }\n    usage: { inputTokens: $.heard }\nerror:'
    const mw = runtime(invented(server.url).replace('error:', more), { env: { INVENTED_TOKEN: canary } })
    expect(await mw.embed({ model, input: ['a', 'b'], dimensions: 2 })).toMatchObject({
      embeddings: [
        [1, 2],
        [3, 4],
      ],
      usage: { inputTokens: 2 },
      provider: 'invented',
      model: 'one/big model',
      warnings: [],
    })
    expect(JSON.parse(String(server.requests[0]?.body))).toEqual({ texts: ['a', 'b'], size: 2 })
  })
})
