/** Building a request of 20 messages, streamed: body and headers. */
import { createBuilder } from '../building.ts'
import { model } from '../conversation.ts'
import { conversations, neutral, toAnthropic, toOpenai } from '../history.ts'
import type { Conversation, Kind } from '../history.ts'
import { same } from '../subjects.ts'
import type { Load, Subject } from '../subjects.ts'
import { handwritten } from '../wire.ts'

interface Built {
  body: Uint8Array
  headers: Record<string, string>
}

const wires = {
  openai: { title: 'OpenAI wire', write: toOpenai, path: '/chat/completions', sdk: 'openai' },
  anthropic: { title: 'Anthropic wire', write: toAnthropic, path: '/v1/messages', sdk: 'anthropic-sdk' },
}
type Wire = keyof typeof wires

/** What an SDK builds before it calls `fetch`. */
interface Builds {
  buildRequest(options: object): Promise<{ req: { headers: Headers; body?: unknown } }>
}

/** `build` makes bytes and headers of what `prepare` made of a conversation outside the measured part. */
function subject<Ready>(
  wire: Wire,
  kind: Kind,
  prepare: (conversation: Conversation) => Ready,
  build: (ready: Ready) => Built | Promise<Built>,
): Subject {
  const all = conversations(kind)
  const ready = all.map(prepare)
  return {
    run: (turn) => build(ready[turn % ready.length] as Ready), // within bounds
    check(made, turn) {
      const built = made as Built // what `run` gives
      const expected = plain(wires[wire].write(all[turn % all.length] as Conversation))
      same(plain(JSON.parse(Buffer.from(built.body).toString())), expected)
      same((built.headers['x-api-key'] ?? built.headers.authorization ?? '').replace(/^Bearer /, ''), 'k') // Anthropic takes either
      same(built.headers['content-type'], 'application/json')
    },
  }
}

/** A body in one order of keys, with texts in one form: both wires take a text alone, and as the only block of a list. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    const [only] = value as unknown[]
    const alone = value.length === 1 && typeof only === 'object' && only !== null && 'text' in only ? only.text : undefined
    return alone ?? value.map(plain)
  }
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, plain(item)]))
}

async function sdk(wire: Wire): Promise<Builds> {
  const client: unknown =
    wire === 'openai'
      ? new (await import('openai')).default({ apiKey: 'k', maxRetries: 0 })
      : new (await import('@anthropic-ai/sdk')).default({ apiKey: 'k', maxRetries: 0 })
  return client as Builds // both have it, in no public type
}

const titles: Record<Kind, string> = {
  text: '20 messages of text',
  tools: '20 messages, 6 tools, 4 calls and their results',
  new: '20 messages of text that was never sent before',
}

function load(wire: Wire, kind: Kind): Load {
  const { title, write, path, sdk: id } = wires[wire]
  const { headers } = handwritten[wire]
  const bytes = (body: unknown): Built => ({ body: Buffer.from(JSON.stringify(body)), headers: { ...headers } })
  return {
    id: `${wire}-${kind}`,
    title: `${title}, ${titles[kind]}`,
    subjects: {
      'by-hand': () => subject(wire, kind, write, bytes),
      mapped: () =>
        subject(
          wire,
          kind,
          (conversation) => conversation,
          (conversation) => bytes(write(conversation)),
        ),
      modelwire() {
        const build = createBuilder()
        return subject(
          wire,
          kind,
          (conversation) => neutral(wire, model[wire], conversation),
          (request) => {
            const { body, headers: own } = build(request)
            if (!(body instanceof Uint8Array)) throw new Error('the body is no bytes')
            return { body, headers: own }
          },
        )
      },
      async [id]() {
        const client = await sdk(wire)
        const asked = (conversation: Conversation) => ({ method: 'post', path, body: write(conversation), stream: true })
        return subject(wire, kind, asked, async (options) => {
          const { req } = await client.buildRequest(options)
          return { body: Buffer.from(String(req.body)), headers: Object.fromEntries(req.headers) }
        })
      },
    },
  }
}

export const loads: Load[] = (['openai', 'anthropic'] as const).flatMap((wire) =>
  (['text', 'tools', 'new'] as const).map((kind) => load(wire, kind)),
)
