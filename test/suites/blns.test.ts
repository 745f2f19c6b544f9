import { describe, expect, it } from 'vitest'
import { demo, hello, runtime, sse, streamed } from '../tools/demo.ts'
import { serveBytes } from '../tools/server.ts'
import { sharedSuite } from '../tools/shared.ts'

const strings = sharedSuite<string[]>('blns/blns.json')
const naughty = strings ?? []

/** What goes out must come in as the same bytes: not only equal as text. */
function bytes(text: unknown): string {
  return Buffer.from(JSON.stringify(text)).toString('hex')
}

describe.skipIf(strings === undefined)('RB8 the big list of naughty strings', () => {
  it('arrives at the upstream byte for byte: as prompt, system, tool name, tool result, metadata and arguments', async () => {
    const server = await serveBytes(
      (wire, request) =>
        void wire.write(streamed({ text: (JSON.parse(String(request.body)) as { system?: string }).system ?? '' }, '[END]')),
    )
    const mw = runtime(demo(server.url))
    const ask = async (text: string): Promise<void> => {
      const name = text === '' ? 'f' : text
      const { text: echoed } = await mw.stream({
        ...hello,
        prompt: text,
        system: text,
        messages: [
          { role: 'assistant', content: [{ type: 'tool_call', id: name, name, arguments: { [`a${text}`]: text } }] },
          { role: 'tool', content: [{ type: 'tool_result', id: name, content: text }] },
        ],
        tools: [{ name, description: text, parameters: { type: 'object', title: text } }],
        metadata: { k: text, [`k${text}`]: text },
      }).result
      expect(bytes(echoed)).toBe(bytes(text))
    }
    for (let at = 0; at < naughty.length; at += 20) await Promise.all(naughty.slice(at, at + 20).map(ask))

    const seen = new Set<string>()
    for (const request of server.requests) {
      const body = JSON.parse(request.body.toString()) as Record<string, never>
      const system = body['system'] as unknown as string
      const name = system === '' ? 'f' : system
      seen.add(system)
      expect(body).toEqual({
        model: 'm1',
        system,
        messages: [
          { role: 'assistant', parts: [{ call: name, name, args: { [`a${system}`]: system } }] },
          { role: 'tool', parts: [{ result: name, of: name, parts: [{ text: system }] }] },
          { role: 'user', parts: [{ text: system }] },
        ],
        tools: [{ name, about: system, schema: { type: 'object', title: system } }],
        meta: { k: system, [`k${system}`]: system },
        stream: true,
      })
    }
    expect([...seen].sort()).toEqual([...new Set(naughty)].sort())
  })

  it('comes back in a streamed answer as it is, cut at every byte', () => {
    const mw = runtime(demo('http://127.0.0.1:1'))
    const wrong: unknown[] = []
    for (const text of naughty) {
      const body = sse({ text, calls: [{ at: 0, id: 'c', name: 'f', args: JSON.stringify({ text }) }] }, '[END]')
      const exchange = { response: { status: 200, headers: { 'content-type': 'text/event-stream' }, bodyText: body } }
      const size = Buffer.byteLength(body)
      const step = Math.max(1, Math.floor(size / 60)) // the longest are thousands of bytes; pieces of one byte cut everywhere
      for (let at = 0; at < size; at += step) {
        const { result } = mw.replay(exchange, { provider: 'demo', cut: at === 0 ? 1 : [at] })
        if (result.text !== text || result.toolCalls[0]?.arguments?.['text'] !== text) wrong.push({ text, at, result })
      }
    }
    expect(wrong).toEqual([])
  })

  it('never changes where a call goes, as the name of a model', async () => {
    const server = await serveBytes((wire) => void wire.write(streamed({ text: 'a' }, '[END]')))
    const mw = runtime(demo(server.url).replace('post: /chat', 'post: "/models/{$.model}/chat"'))
    const names = naughty.filter((name) => name !== '' && name !== '.' && name !== '..')
    for (const name of names) await mw.stream({ ...hello, model: `demo/${name}` }).result
    expect(server.requests.map(({ path }) => path)).toEqual(names.map((name) => `/models/${encodeURIComponent(name)}/chat`))
  })
})
