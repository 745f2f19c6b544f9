import { ModelwireError } from '../core/error.ts'
import type { Event, ToolCallEvent } from '../core/event.ts'
import { inheritedNames, isMap, type PlainMap } from '../lang/value.ts'
import type { ToolSpeech } from './speech.ts'

type CallEvent = Extract<Event, { type: 'tool_call_start' | 'tool_call_delta' | 'tool_call' | 'raw' }>

interface Call {
  index: number | undefined
  id: string
  name: string
  text: string
  /** Set by `path` and `value`, or by arguments that came as an object. */
  value: unknown
  kind: 'custom' | undefined
  signature: string | undefined
  /** The provider's block of a call that it runs itself, and the key there that holds the arguments. */
  block: PlainMap | undefined
  into: string
  started: boolean
  closed: boolean
}

/**
 * Tool calls of one choice, as they grow. Vendor-free: it takes a missing index, a late name, a late id, a whole call in
 * one piece, arguments as text or object, several calls in one frame. An id or name once known is never overwritten by
 * a blank one.
 */
export class Calls {
  readonly #say: (event: Event) => void
  readonly #choice: number | undefined
  readonly #calls: Call[] = []

  constructor(say: (event: Event) => void, choice: number | undefined) {
    this.#say = say
    this.#choice = choice
  }

  hear(speech: ToolSpeech): void {
    const call = this.#find(speech)
    if (call.closed) return
    if (call.id === '' && isWord(speech.id)) call.id = String(speech.id)
    if (call.name === '' && isWord(speech.name)) call.name = String(speech.name)
    if (speech.signature !== undefined) call.signature = speech.signature
    if (speech.kind !== undefined) call.kind = speech.kind
    this.#take(call, speech)
    if (!call.started && call.block === undefined && call.name !== '' && call.id !== '') this.#start(call)
    if (speech.arguments !== undefined || speech.done === true) this.#close(call)
  }

  /** Closes the call of a block, if there is one. */
  end(index: number | undefined): void {
    const call = index === undefined ? this.#calls.at(-1) : this.#calls.findLast((known) => known.index === index)
    if (call !== undefined) this.#close(call)
  }

  /** Closes all that are open. */
  finish(): void {
    for (const call of this.#calls) this.#close(call)
  }

  /** Whether there is one that the caller is to answer. */
  made(): boolean {
    return this.#calls.some((call) => call.name !== '' && call.block === undefined)
  }

  #open(speech: ToolSpeech): Call {
    const call: Call = {
      index: speech.index,
      id: '',
      name: '',
      text: '',
      value: undefined,
      kind: speech.kind,
      signature: undefined,
      block: speech.block,
      into: speech.into ?? 'arguments',
      started: false,
      closed: false,
    }
    this.#calls.push(call)
    return call
  }

  /** A different id at an index is a new call; without index by id; without both a name opens a call. */
  #find(speech: ToolSpeech): Call {
    const { index, id = '', name = '' } = speech
    const known =
      index === undefined
        ? id === ''
          ? undefined
          : this.#calls.findLast((call) => call.id === id)
        : this.#calls.findLast((call) => call.index === index)
    // A second call without an id at the index of one that is whole: some servers number all of them 0.
    if (known?.closed === true && id === '' && name !== '') return this.#open(speech)
    if (known !== undefined) {
      if (index === undefined || id === '' || known.id === '' || known.id === id) return known
      this.#close(known)
      return this.#open(speech)
    }
    if (index !== undefined || id !== '' || name !== '') return this.#open(speech)
    const last = this.#calls.at(-1)
    return last === undefined || last.closed ? this.#open(speech) : last
  }

  #start(call: Call): void {
    if (call.id === '') {
      call.id = `call_${crypto.randomUUID().replaceAll('-', '').slice(0, 24)}`
      this.#warn('toolCalls.id', `the provider sent no id for a call of "${call.name}"; one was made up`)
    }
    call.started = true
    this.#sayOf(call, { type: 'tool_call_start', id: call.id, name: call.name })
    if (call.text !== '') this.#sayOf(call, { type: 'tool_call_delta', id: call.id, delta: call.text })
  }

  /** Says it with where its call stands. */
  #sayOf({ index }: Call, event: CallEvent): void {
    if (this.#choice !== undefined) event.choice = this.#choice
    if (index !== undefined) event.index = index
    this.#say(event)
  }

  #append(call: Call, delta: string): void {
    call.text += delta
    if (call.started && call.block === undefined && delta !== '') this.#sayOf(call, { type: 'tool_call_delta', id: call.id, delta })
  }

  #close(call: Call): void {
    if (call.closed) return
    call.closed = true
    if (call.block !== undefined) return this.#sayOf(call, { type: 'raw', data: wholeBlock(call, call.block) })
    if (call.name === '') return this.#warn('toolCalls.name', 'the provider sent a call without a name; it was dropped')
    if (!call.started) this.#start(call)
    if (call.text === '' && call.value !== undefined) this.#append(call, JSON.stringify(call.value))
    this.#sayOf(call, wholeCall(call))
  }

  #take(call: Call, speech: ToolSpeech): void {
    if (typeof speech.delta === 'string') this.#append(call, speech.delta)
    else if (isMap(speech.delta)) call.value = speech.delta
    if (typeof speech.arguments === 'string') this.#replace(call, speech.arguments)
    else if (speech.arguments !== undefined) this.#replace(call, JSON.stringify(speech.arguments))
    if (speech.path !== undefined) call.value = setAt(call.value, speech.path, speech.value)
  }

  #replace(call: Call, text: string): void {
    if (text === call.text) return
    if (text.startsWith(call.text)) return this.#append(call, text.slice(call.text.length))
    call.text = text
  }

  #warn(field: string, reason: string): void {
    this.#say({ type: 'warning', field, reason })
  }
}

function isWord(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
}

function wholeCall(call: Call): ToolCallEvent {
  const blank = call.kind === undefined && (call.text.trim() === '' || call.text.trim() === 'null')
  const argumentsText = blank ? '{}' : call.text
  const parsed = call.kind === 'custom' ? undefined : parseMap(argumentsText)
  const { id, name, kind, signature } = call
  const event: ToolCallEvent =
    parsed === undefined
      ? { type: 'tool_call', id, name, argumentsText }
      : { type: 'tool_call', id, name, arguments: parsed, argumentsText }
  if (kind !== undefined) event.kind = kind
  if (signature !== undefined) event.signature = signature
  return event
}

/** The block as it began, with the arguments that came for it in pieces. */
function wholeBlock({ text, into, value }: Call, block: PlainMap): PlainMap {
  if (text.trim() === '') return value === undefined ? block : { ...block, [into]: value }
  return { ...block, [into]: parseMap(text) ?? text }
}

/** The model wrote this text, so it may be anything; what isn't a JSON object has no `arguments`, only their text. */
function parseMap(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

const maxIndex = 1_024

/** Sets `value` at a path such as `$.city`, `$.rows[0]['name']`; text is appended to text that stands there already. */
function setAt(target: unknown, path: string, value: unknown): unknown {
  const steps = stepsOf(path)
  if (steps !== undefined && steps.every((step) => (typeof step === 'number' ? step <= maxIndex : !inheritedNames.has(step))))
    return put(target, steps, value)
  throw new ModelwireError(
    'protocol',
    `the provider set an argument at ${JSON.stringify(path.slice(0, 80))}, which isn't a place in plain data`,
  )
}

/** Undefined when it isn't written as a place: a step that is passed over would set another one. */
function stepsOf(path: string): (string | number)[] | undefined {
  if (!path.startsWith('$')) return undefined
  const step = /\.([^.[\]]+)|\[(\d+)\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y
  const steps: (string | number)[] = []
  for (step.lastIndex = 1; step.lastIndex < path.length;) {
    const found = step.exec(path)
    if (found === null) return undefined
    steps.push(found[2] === undefined ? (found[1] ?? found[3] ?? found[4] ?? '') : Number(found[2]))
  }
  return steps
}

function put(target: unknown, steps: (string | number)[], value: unknown): unknown {
  const [step, ...rest] = steps
  if (step === undefined) return typeof target === 'string' && typeof value === 'string' ? target + value : (value ?? target)
  if (typeof step === 'number') {
    const list: unknown[] = Array.isArray(target) ? target : []
    list[step] = put(list[step], rest, value)
    return list
  }
  const map: PlainMap = isMap(target) ? target : {}
  map[step] = put(map[step], rest, value)
  return map
}
