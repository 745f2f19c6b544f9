import { ModelwireError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { ChatFold } from '../core/fold.ts'
import type { ChatResult, EmbedResult, ModelInfo } from '../core/result.ts'
import type { Operation } from '../manifest/compile.ts'
import { Reader } from '../pipeline/read.ts'
import { endingsOf } from './endings.ts'
import { readError } from './failure.ts'
import { chatResult, embedResult, modelInfos } from './results.ts'

/** A recorded exchange: what was asked, if known, and the bytes that came back. */
export interface Exchange {
  request?: { method?: string; url?: string; headers?: Record<string, string>; body?: unknown } | null
  response: {
    status: number
    headers: Record<string, string>
    bodyText?: string
    bodyBase64?: string
  }
}

export interface ReplayOptions {
  /** The id of a provider or dialect. */
  provider: string
  /** `chat` when absent. */
  operation?: string
  model?: string
  wire?: string
  /** Where to cut the body: a number of bytes a piece, or the places. Whole when absent. */
  cut?: number | readonly number[]
  /** False: every frame is parsed, none is read by the shape of those before it. */
  learn?: boolean
  /** Choices that were asked for. */
  choices?: number
}

export interface Replayed {
  events: Event[]
  result: ChatResult & Partial<EmbedResult> & { models?: ModelInfo[] }
}

const eventLimit = 16 * 1024 * 1024

/** Recorded bytes through a provider's own pipeline. Throws as a live call would, with what had come in `partial`. */
export function replay(exchange: Exchange, operation: Operation, options: ReplayOptions): Replayed {
  const started = performance.now()
  const { response, request } = exchange
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), String(value)]))
  const body = bytesOf(response)
  const asked = typeof request?.body === 'object' && request.body !== null ? request.body : {}
  const model = options.model ?? ('model' in asked && typeof asked.model === 'string' ? asked.model : '')
  if (response.status < 200 || response.status >= 300) {
    throw readError(operation, { status: response.status, headers }, body).add({ provider: options.provider, model })
  }
  const streamed = 'stream' in asked ? asked.stream === true : true
  const choices = options.choices ?? ('n' in asked && typeof asked.n === 'number' ? asked.n : 1)
  const reader = new Reader(operation.reading.plan, {
    headers,
    roots: { request: { model, stream: streamed }, headers, status: response.status },
    endings: endingsOf(operation, { status: response.status, headers }, choices),
    limit: eventLimit,
    streamed,
    learn: options.learn ?? true,
    framed: true, // recordings have lost their framing; what is there is all there was
  })
  const fold = new ChatFold(options.provider)
  const events: Event[] = []
  const around = () => ({
    provider: options.provider,
    model,
    prices: operation.prices(model),
    timing: { totalMs: performance.now() - started },
  })
  const collect = (): void => {
    for (const event of reader.take()) {
      events.push(event)
      fold.push(event)
    }
  }
  try {
    for (const piece of pieces(body, options.cut)) {
      reader.push(piece)
      collect()
    }
    reader.end()
    collect()
  } catch (error) {
    collect()
    if (error instanceof ModelwireError) throw error.add({ provider: options.provider, model, partial: chatResult(fold, around()) })
    throw error
  }
  return { events, result: resultOf(operation.name, events, chatResult(fold, around()), embedResult(events, fold, around())) }
}

function resultOf(operation: string, events: Event[], chat: ChatResult, embed: EmbedResult): Replayed['result'] {
  if (operation === 'embed') return { ...chat, ...embed }
  return operation === 'models' ? { ...chat, models: modelInfos(events) } : chat
}

function bytesOf(response: Exchange['response']): Buffer {
  return response.bodyBase64 === undefined ? Buffer.from(response.bodyText ?? '') : Buffer.from(response.bodyBase64, 'base64')
}

function* pieces(body: Buffer, cut: number | readonly number[] | undefined): Generator<Uint8Array> {
  if (cut === undefined) return yield body
  if (typeof cut === 'number') {
    for (let at = 0; at < body.length; at += cut) yield body.subarray(at, at + cut)
    return
  }
  let from = 0
  for (const at of [...cut, body.length]) {
    yield body.subarray(from, at)
    from = at
  }
}
