import type { Replayed, Runtime } from '../../src/index.ts'
import { runtime } from './demo.ts'

/** A wire whose frames say literally what the rules of manifests may say: what comes after the rules is tested with it. */
const wire = `
id: speech
base: http://127.0.0.1:1
operations:
  chat:
    post: /
    decode: ndjson
    complete: [finish, end]
    events:
      all:
        each: $.say ?? $
        with: { choice: $.choice }
        events:
          start: { where: { type: start }, emit: { type: start, id: $.id, model: $.model } }
          text: { where: { type: text }, emit: { type: text, delta: $.delta, signature: $.signature, index: $.index } }
          reasoning: { where: { type: reasoning }, emit: { type: reasoning, delta: $.delta, signature: $.signature, index: $.index } }
          refusal: { where: { type: refusal }, emit: { type: refusal, delta: $.delta } }
          tool:
            where: { type: tool }
            emit:
              type: tool
              index: $.index
              id: $.id
              name: $.name
              delta: $.delta
              arguments: $.arguments
              path: $.path
              value: $.value
              done: $.done
              kind: $.kind
              signature: $.signature
          end: { where: { type: end }, emit: { type: end, index: $.index } }
          usage: { where: { type: usage }, emit: { type: usage, raw: $.raw } }
          merged: { where: { type: merged }, emit: { type: usage, raw: $.raw, merge: true } }
          raw: { where: { type: raw }, emit: { type: raw, data: $.data } }
          source: { where: { type: source }, emit: { type: source, url: $.url, title: $.title } }
          file: { where: { type: file }, emit: { type: file, mediaType: $.mediaType, data: $.data } }
          finish: { where: { type: finish }, emit: { type: finish, raw: $.raw } }
          error: { where: { type: error }, emit: { type: error, body: $.body } }
    finish: { stop: stop, max: length, tools: tool_calls, "1": stop, $else: other }
    usage: { inputTokens: $.in, outputTokens: $.out, reasoningTokens: $.thought, cachedInputTokens: $.cached }
`

export function speechRuntime(change: (manifest: string) => string = (manifest) => manifest): Runtime {
  return runtime(change(wire))
}

/** What comes of these, a frame each; `choices` that were asked for. */
export function speak(mw: Runtime, says: unknown[], choices?: number): Replayed {
  const bodyText = says.map((say) => `${JSON.stringify(Array.isArray(say) ? { say } : say)}\n`).join('')
  const exchange = { response: { status: 200, headers: { 'content-type': 'application/x-ndjson' }, bodyText } }
  return mw.replay(exchange, { provider: 'speech', ...(choices === undefined ? {} : { choices }) })
}
