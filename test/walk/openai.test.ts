import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/client/registry.ts'
import { normalizeChat } from '../../src/core/normalize.ts'
import type { Message } from '../../src/core/request.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { readExchanges, routeOf, tell, type Told } from '../tools/exchanges.ts'

/** What the fixtures of OpenAI's wires say beyond what the walker compares. */
const fixtures = readExchanges(fileURLToPath(new URL('../fixtures', import.meta.url)))
const registry = createRegistry(createCatalog({ paths: [bundledProtocols] }))

function told(file: string): Told {
  const fixture = fixtures.find((other) => other.file === file)
  const route = fixture === undefined ? undefined : routeOf(fixture)
  if (fixture === undefined || route === undefined) throw new Error(`${file} isn't there`)
  return tell(fixture, route)
}

/** The next turn's body, with the reply appended as it is. */
function nextBody(file: string, provider: string): Record<string, unknown> {
  const message = told(file).replayed?.result.message as Message
  const normal = normalizeChat(
    { model: 'm', messages: [{ role: 'user', content: 'q' }, message, { role: 'user', content: 'r' }] },
    'm',
    provider,
    false,
  )
  return registry.operation(provider, 'chat', 'm').body?.(normal.request, { request: normal.request, env: {} }) as Record<
    string,
    unknown
  > // a chat's body is a map
}
const nextTurn = (file: string, provider: string): unknown => (nextBody(file, provider).messages as unknown[])[1]

describe('what errors mean', () => {
  for (const [file, kind] of Object.entries({
    'openai-chat/error-401.json': 'authentication',
    'openai-chat/error-quota.json': 'quota_exhausted',
    'openai-chat/error-context-length.json': 'context_length',
    'openai-chat/error-page.json': 'server_error',
    'openai-chat/error-in-200.json': 'content_filter',
    'openai-chat/error-mid-stream.json': 'server_error',
    'openai-chat/error-mid-stream-flat.json': 'server_error',
    'openai-chat/truncated.json': 'truncated',
    'openai-chat-providers/mistral-error.json': 'not_found',
    'openai-chat-providers/openrouter-error-beside-choices.json': 'server_error',
    'openai-chat-providers/groq-error-event.json': 'invalid_request',
    'openai-chat-providers/azure-filtered-prompt.json': 'content_filter',
    'openai-chat-providers/llama-server-context.json': 'context_length',
    'openai-completions/error-404.json': 'not_found',
  })) {
    it(`${file}: ${kind}`, () => {
      expect(told(file).error?.kind).toBe(kind)
    })
  }

  it('a quota that is used up is never worth a retry', () => {
    expect(told('openai-chat/error-quota.json').error?.retryable).toBe(false)
  })
})

describe('what stands beside the text', () => {
  it('sources, each once', () => {
    expect(told('openai-chat/sources.json').replayed?.result.sources).toEqual([{ url: 'https://example.com/a', title: 'A' }])
    const oslo = { url: 'https://example.com/oslo', title: 'Oslo', text: 'A city.' }
    expect(told('openai-chat-providers/perplexity-text-so-far-beside-delta.json').replayed?.result.sources).toEqual([oslo])
    expect(told('openai-chat-providers/perplexity-whole-with-empty-delta.json').replayed?.result.sources).toEqual([oslo])
    expect(told('openai-chat-providers/groq-sources.json').replayed?.result.sources).toEqual([oslo])
    expect(told('openai-chat-providers/xai-thoughts-counted-apart.json').replayed?.result.sources).toEqual([
      { url: 'https://example.com/four' },
    ])
  })

  it('pictures', () => {
    const files = told('openai-chat-providers/openrouter-picture.json').replayed?.result.files
    expect(files).toMatchObject([{ mediaType: 'image/png' }])
  })

  it('sound, whose id goes back instead of its bytes', () => {
    for (const file of ['openai-chat/sound-whole.json', 'openai-chat/sound-streamed.json']) {
      const sounds = told(file).events.filter((event) => event.type === 'audio')
      expect(sounds.map(({ text }) => text ?? '').join('')).toBe('Hello.')
      expect(sounds.map(({ data }) => data ?? '').join('')).toBe('UklGRg==')
      expect(nextTurn(file, 'openai-chat')).toEqual({ role: 'assistant', content: '', audio: { id: 'audio_1' } })
    }
  })

  it('the limits that the headers tell', () => {
    const headers = {
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
    }
    const limits = registry.operation('openai-chat', 'chat', 'm').reading.rateLimits?.({}, { headers }) as {
      requests: Record<string, number>
    }
    expect(limits.requests).toMatchObject({ limit: 60, remaining: 59 })
    expect(limits.requests.resetMs).toBeGreaterThan(900)
  })
})

describe('the next turn', () => {
  it('OpenRouter: the pieces of signed thoughts are one again', () => {
    expect(nextTurn('openai-chat-providers/openrouter-signed-thoughts.json', 'openrouter')).toMatchObject({
      content: 'Four.',
      reasoning_details: [{ type: 'reasoning.text', format: 'anthropic-claude-v1', text: 'Two and two.', signature: 'Sig==' }],
    })
  })

  it('OpenRouter: sealed thoughts go back as they came', () => {
    expect(nextTurn('openai-chat-providers/openrouter-sealed-thoughts-whole.json', 'openrouter')).toMatchObject({
      reasoning_details: [
        { type: 'reasoning.summary', summary: '**Adding**', format: 'openai-responses-v1', index: 0 },
        { type: 'reasoning.encrypted', data: 'gAAA', id: 'rs_1', format: 'openai-responses-v1', index: 0 },
      ],
    })
  })

  it('Mistral: thoughts and texts stay apart', () => {
    expect(nextTurn('openai-chat-providers/mistral-thinking-then-text.json', 'mistral')).toEqual({
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'Two and two.' }] },
        { type: 'text', text: 'Four.' },
      ],
    })
  })

  it('a free-text call goes back as one', () => {
    expect(nextTurn('openai-chat/tool-custom-streamed.json', 'openai-chat')).toMatchObject({
      tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'code', input: 'print(1)' } }],
    })
  })
})
