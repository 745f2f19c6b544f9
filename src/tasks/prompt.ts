import { ModelwireError } from '../core/error.ts'
import type { ChatRequest, Message } from '../core/request.ts'
import { isMap } from '../lang/value.ts'
import type { Task } from './compile.ts'
import { fence, ruleOf } from './fence.ts'
import { checkJson } from './json.ts'
import { mediaBytes, mediaParts } from './media.ts'
import { inWords, type Misfit } from './schema.ts'
import type { InferRequest, JsonSchema } from './task.ts'

/** What a call of the model is made of. */
export interface Prompt {
  request: ChatRequest
  /** What the answer must fit. */
  output: JsonSchema
}

/** The request for a task and an input. Throws `invalid_request` naming the field that is wrong. */
export function buildPrompt(task: Task, { modelId, input, outputSchema, options = {} }: InferRequest): Prompt {
  if (!isMap(options)) throw noMap('options', options)
  checkInput(task, input)
  checkSchema(outputSchema)
  const output = outputSchema ?? task.output
  const { boundary, text } = fence(task.data(input))
  const { priority: _, signal: _signal, timeout: _timeout, ...own } = options // what the queue and the clock need
  const { timeout: _default, ...defaults } = task.defaults
  const system = [
    task.system(input),
    `Answer with one JSON value, and nothing else, that fits this JSON Schema:\n${JSON.stringify(output)}`,
    ruleOf(boundary),
  ].join('\n\n')
  const message: Message = { role: 'user', content: [...mediaParts(task, input), { type: 'text', text }] }
  return { output, request: { ...defaults, ...given(own), model: modelId, system, messages: [message], output } }
}

/** The same call once more, with the answer that didn't fit and what is wrong with it. */
export function buildRepair({ request }: Prompt, answer: string, misfits: Misfit[]): ChatRequest {
  // What the model wrote may repeat what strangers wrote: it stays in its own turn, and the words here are ours.
  const said: Message[] = answer.trim() === '' ? [] : [{ role: 'assistant', content: answer.slice(0, longest) }]
  const faults = misfits.map((misfit) => `- ${inWords(misfit)}`.slice(0, widest)).join('\n')
  const text = `That answer can't be used:\n${faults}\nGive the whole answer again, corrected, as JSON only.`
  return { ...request, messages: [...(request.messages ?? []), ...said, { role: 'user', content: text }] }
}

/** Characters of an answer, and of one fault, that a repair shows. */
const longest = 100_000
const widest = 500

function checkInput(task: Task, input: unknown): asserts input is Record<string, unknown> {
  if (!isMap(input)) throw noMap('input', input)
  const { misfit, bytes } = checkJson(input)
  if (misfit !== undefined) throw notJson(`the input of "${task.id}" doesn't fit`, misfit)
  const stray = bytes.length === 0 ? undefined : bytes.find(strayIn(mediaBytes(task, input)))
  if (stray !== undefined)
    throw notJson(`the input of "${task.id}" doesn't fit`, { field: stray.field, message: 'is bytes, which only media may be' })
  const [first, ...others] = task.checkInput(input)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  throw new ModelwireError('invalid_request', `the input of "${task.id}" doesn't fit: ${inWords(first)}${more}`, {
    hint: `it takes ${Object.keys(isMap(task.input['properties']) ? task.input['properties'] : {}).join(', ')}; \`modelwire tasks --json\` says more`,
  })
}

function checkSchema(schema: unknown): void {
  if (schema === undefined) return
  if (!isMap(schema)) throw noMap('outputSchema', schema)
  const { misfit, bytes } = checkJson(schema, 'outputSchema')
  const [found] = bytes
  const wrong = misfit ?? (found === undefined ? undefined : { field: found.field, message: "is bytes, which JSON can't hold" })
  if (wrong !== undefined) throw notJson("the schema of the result can't be used", wrong)
}

function noMap(name: string, value: unknown): ModelwireError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
  return new ModelwireError('invalid_request', `expected a map as \`${name}\`, got ${got}`)
}

function notJson(what: string, misfit: Misfit): ModelwireError {
  return new ModelwireError('invalid_request', `${what}: ${inWords(misfit)}`, {
    hint: 'pass plain data: texts, finite numbers, true, false, null, lists and maps',
  })
}

function strayIn(media: ReadonlySet<unknown>): (bytes: { value: Uint8Array }) => boolean {
  return ({ value }) => !media.has(value)
}

function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T // the same, less what is absent
}
