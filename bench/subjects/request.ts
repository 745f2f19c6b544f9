/** Building a request of 20 messages, streamed: body and headers. */
import { createBuilder } from '../building.ts'
import { model } from '../conversation.ts'
import { neutral, toAnthropic, toOpenai } from '../history.ts'
import type { Length } from '../history.ts'
import { same } from '../subjects.ts'
import type { Load, Subject } from '../subjects.ts'
import { handwritten } from '../wire.ts'

interface Built {
  body: string
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

/** `read` brings what was built into one form, outside the measured part. */
function subject<Made>(wire: Wire, length: Length, run: () => Made | Promise<Made>, read: (made: Made) => Built): Subject {
  const expected = plain(wires[wire].write(length))
  return {
    run,
    check(made) {
      const built = read(made as Made) // what `run` gives
      same(plain(JSON.parse(built.body)), expected)
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

function load(wire: Wire, length: Length): Load {
  const { title, ...own } = wires[wire]
  return {
    id: `${wire}-${length}`,
    title: `${title}, 20 messages${length === 'tools' ? ', 6 tools, 4 calls and their results' : ' of text'}`,
    subjects: {
      'by-hand'() {
        const body = own.write(length)
        const run = () => ({ body: JSON.stringify(body), headers: { ...handwritten[wire].headers } })
        return subject(wire, length, run, (built) => built)
      },
      mapped() {
        const run = () => ({ body: JSON.stringify(own.write(length)), headers: { ...handwritten[wire].headers } })
        return subject(wire, length, run, (built) => built)
      },
      modelwire() {
        const build = createBuilder()
        const request = neutral(wire, model[wire], length)
        const run = () => build(request)
        return subject(wire, length, run, (call) => ({ body: String(call.body), headers: call.headers }))
      },
      async [own.sdk]() {
        const client = await sdk(wire)
        const asked = { method: 'post', path: own.path, body: own.write(length), stream: true }
        const run = () => client.buildRequest(asked)
        return subject(wire, length, run, ({ req }) => ({ body: String(req.body), headers: Object.fromEntries(req.headers) }))
      },
    },
  }
}

export const loads: Load[] = (['openai', 'anthropic'] as const).flatMap((wire) => [load(wire, 'text'), load(wire, 'tools')])
