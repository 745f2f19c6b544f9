import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createRuntime, type Event, ModelwireError, type Runtime, type RuntimeOptions } from '../../src/index.ts'

/**
 * A provider of the tests' own, small enough to write its bytes by hand. Its frames: `{ id, model }`, `{ text }`,
 * `{ thought }`, `{ calls: [{ at, id, name, args }] }`, `{ sum: { in, out } }`, `{ stop }`, `{ error: { message, code } }`,
 * each with `choice` if there are several.
 */
export function demo(url: string, more = ''): string {
  return `
id: demo
base: ${url}
auth: { bearer: DEMO_KEY }
define:
  message:
    role: $.role
    parts: { $each: $.content, $do: { $use: part } }
  part:
    $switch: $.type
    text: { text: $.text }
    reasoning: { thought: $.text, signature: $.signature }
    tool_call: { call: $.id, name: $.name, args: $.arguments }
    tool_result: { result: $.id, of: $.name, bad: $.failed, parts: { $each: $.content, $do: { $use: part } } }
operations:
  chat:
    post: /chat
    body:
      model: $.model
      system: "$.system[*].text | join ' '"
      messages: { $each: $.messages, $do: { $use: message } }
      tools: { $each: $.tools, $do: { name: $.name, about: $.description, schema: $.parameters } }
      max: $.maxTokens
      heat: $.temperature
      n: $.n
      meta: $.metadata
      shape: $.output
      stream: $.stream
    decode: { sse: { until: "[END]" } }
    complete: [done, finish]
    events:
      start: { emit: { type: start, id: $.id, model: $.model } }
      error: { when: { error: "*" }, emit: { type: error, body: $ } }
      usage: { emit: { type: usage, raw: $.sum } }
      said:
        with: { choice: $.choice }
        events:
          thought: { emit: { type: reasoning, delta: $.thought } }
          text: { emit: { type: text, delta: $.text } }
          calls:
            each: $.calls
            emit: { type: tool, index: $.at, id: $.id, name: $.name, delta: $.args }
          stop: { emit: { type: finish, raw: $.stop } }
    finish: { done: stop, cut: length, call: tool_calls, blocked: content_filter, $else: other }
    usage: { inputTokens: $.in, outputTokens: $.out }
  embed:
    post: /embed
    body: { model: $.model, texts: $.input, size: $.dimensions }
    decode: json
    events: { vector: { each: $.vectors, emit: { type: embedding, vector: $ } } }
errors:
  - { when: { code: too_long }, kind: context_length }
  - { when: { code: no_money }, kind: quota_exhausted }
  - { when: { code: busy }, kind: overloaded }
${more}`
}

/** The key that must never be seen anywhere but in its header. */
export const canary = 'sk-canary-7f3e9a51c2'

/** A folder with these manifests, gone after the test. */
export function protocols(...manifests: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelwire-demo-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  manifests.forEach((text, index) => writeFileSync(join(folder, `${/^id: (\S+)/m.exec(text)?.[1] ?? index}.yaml`), text))
  return folder
}

/** A runtime that knows these manifests, has a key, retries fast and takes nothing from the environment of the tests. */
export function runtime(manifests: string | string[], options: RuntimeOptions = {}): Runtime {
  const made = createRuntime({
    protocols: protocols(...[manifests].flat()),
    retry: { base: 1, max: 2 },
    ...options,
    env: { DEMO_KEY: canary, ...options.env },
  })
  onTestFinished(() => made.close())
  return made
}

export const hello = { model: 'demo/m1', prompt: 'hello' }

// ---- the bytes of a reply ----------------------------------------------------------------------------------------

/** The head of a chunked reply. */
export function head(type = 'text/event-stream', ...more: string[]): string {
  return ['HTTP/1.1 200 OK', `content-type: ${type}`, 'transfer-encoding: chunked', ...more].join('\r\n') + '\r\n\r\n'
}

/** One chunk of it. */
export function chunk(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}

/** Its decent end. */
export const last = '0\r\n\r\n'

/** A whole reply with its length. */
export function whole(body: string | Uint8Array, type = 'application/json', status = 200, ...more: string[]): Buffer {
  const bytes = Buffer.from(body)
  const lines = [`HTTP/1.1 ${status} X`, `content-type: ${type}`, `content-length: ${bytes.length}`, ...more]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes])
}

/** Frames as events. */
export function sse(...frames: unknown[]): string {
  return frames.map((frame) => `data: ${typeof frame === 'string' ? frame : JSON.stringify(frame)}\n\n`).join('')
}

/** A stream from its first byte to its last. */
export function streamed(...frames: unknown[]): Buffer {
  return Buffer.concat([Buffer.from(head()), chunk(sse(...frames)), Buffer.from(last)])
}

// ---- what came of it ---------------------------------------------------------------------------------------------

export async function all(stream: AsyncIterable<Event>): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

/** What a call fails with, and what it had said before. */
export async function failing(stream: AsyncIterable<Event>): Promise<{ error: ModelwireError; events: Event[] }> {
  const events: Event[] = []
  try {
    for await (const event of stream) events.push(event)
  } catch (error) {
    if (error instanceof ModelwireError) return { error, events }
    throw error
  }
  throw new Error('it should have failed')
}

/** Everything of an error that somebody might print. */
export function printed(error: unknown): string {
  const texts: string[] = []
  for (let one: unknown = error; one !== undefined && one !== null && texts.length < 8; one = (one as { cause?: unknown }).cause) {
    texts.push(
      String(one),
      JSON.stringify(one) ?? '',
      one instanceof Error ? `${one.stack} ${JSON.stringify(Object.getOwnPropertyDescriptors(one))}` : '',
    )
  }
  return texts.join('\n')
}
