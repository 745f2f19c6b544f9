import { ModelwireError } from '../../core/error.ts'
import type { Call } from '../../wire/call.ts'

/** What a call asks for, checked. */
export type Task = EmbedTask | RerankTask

interface Asked {
  model: string
  /** What computes: `auto`, `cpu`, `cuda`, or another name that ONNX Runtime knows. */
  backend: string
  /** Whether texts that are too long are cut. */
  truncate: boolean
}
export interface EmbedTask extends Asked {
  run: 'embed'
  texts: string[]
  dimensions: number | undefined
  purpose: string | undefined
}
export interface RerankTask extends Asked {
  run: 'rerank'
  query: string
  documents: string[]
  topN: number | undefined
}

const fields: Record<Task['run'], readonly string[]> = {
  embed: ['model', 'backend', 'truncate', 'input', 'dimensions', 'purpose'],
  rerank: ['model', 'backend', 'truncate', 'query', 'documents', 'topN'],
}
const mostTexts = 100_000

export function readTask({ url, body }: Call): Task {
  if (url !== 'embed' && url !== 'rerank') {
    throw new ModelwireError('unsupported', `the engine for ONNX models can embed and rerank, not ${JSON.stringify(url)}`)
  }
  if (typeof body !== 'object' || body instanceof Uint8Array) throw wrong('the body must be a map')
  const given: Record<string, unknown> = { ...body }
  const strange = Object.keys(given).find((key) => !fields[url].includes(key))
  if (strange !== undefined) throw wrong(`there is no use for ${JSON.stringify(strange)}`, `it knows ${fields[url].join(', ')}`)
  const { model, backend = 'auto', truncate = false } = given
  if (typeof model !== 'string' || model === '') throw wrong('`model` must be a name')
  if (typeof backend !== 'string' || !/^\w{1,40}$/.test(backend)) throw wrong('`backend` must be a name such as auto, cpu or cuda')
  if (typeof truncate !== 'boolean') throw wrong('`truncate` must be true or false')
  const asked = { model, backend, truncate }
  if (url === 'embed') {
    const { input, purpose } = given
    if (purpose !== undefined && typeof purpose !== 'string') throw wrong('`purpose` must be a text')
    return {
      ...asked,
      run: url,
      texts: textsOf(typeof input === 'string' ? [input] : input, 'input'),
      dimensions: count(given, 'dimensions'),
      purpose,
    }
  }
  const { query, documents } = given
  if (typeof query !== 'string') throw wrong('`query` must be a text')
  return { ...asked, run: url, query, documents: textsOf(documents, 'documents'), topN: count(given, 'topN') }
}

function textsOf(value: unknown, field: string): string[] {
  if (!Array.isArray(value)) throw wrong(`\`${field}\` must be a list of texts`)
  if (value.length > mostTexts) {
    throw new ModelwireError('request_too_large', `\`${field}\` has ${value.length} texts, more than ${mostTexts}`, {
      hint: 'send them in parts',
    })
  }
  return value.map((text: unknown, index) => {
    if (typeof text !== 'string') throw wrong(`\`${field}[${index}]\` must be a text, got ${text === null ? 'null' : typeof text}`)
    return text
  })
}

function count(given: Record<string, unknown>, field: string): number | undefined {
  const value = given[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw wrong(`\`${field}\` must be a whole number from 1`)
  return value
}

function wrong(message: string, hint?: string): ModelwireError {
  return new ModelwireError('invalid_request', message, { hint })
}
