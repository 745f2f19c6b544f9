import { randomInt, randomUUID } from 'node:crypto'
import type {
  ChatHistoryItem,
  ChatModelFunctions,
  LlamaGrammar,
  LlamaChatResponse,
  LLamaChatGenerateResponseOptions,
} from 'node-llama-cpp'
import { ModelwireError } from '../../core/error.ts'
import type { Emit } from '../frames.ts'
import { binding, type Sequence, type Token } from './binding.ts'
import type { ChatBody } from './body.ts'
import { forcedCall } from './force.ts'
import { historyOf } from './history.ts'
import type { Resident } from './resident.ts'
import { forcible, grammarOf } from './schema.ts'

/** What every answer to one question shares. */
interface Question {
  body: ChatBody
  resident: Resident
  history: ChatHistoryItem[]
  functions: ChatModelFunctions | undefined
  grammar: LlamaGrammar | undefined
  /** The prompt as the model's template writes it. */
  tokens: Token[]
}

interface Counts {
  cached: number
  output: number
}

/** Writes the answers to a conversation. */
export async function chat(body: ChatBody, resident: Resident, emit: Emit, signal: AbortSignal): Promise<void> {
  const question = await ask(body, resident)
  const { tokens } = question
  emit({ start: { id: `chat-${randomUUID()}`, model: body.model } })
  const choices = Array.from({ length: body.n ?? 1 }, (_, choice) => choice)
  const failed = new AbortController()
  const ends = AbortSignal.any([signal, failed.signal])
  const written = choices.map((choice) =>
    answer(question, choice, emit, ends).catch((error: unknown) => {
      failed.abort(error) // one choice that failed ends the others
      throw error
    }),
  )
  const settled = await Promise.allSettled(written)
  for (const one of settled) if (one.status === 'rejected') throw failed.signal.aborted ? failed.signal.reason : one.reason
  const counts = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const output = counts.reduce((sum, one) => sum + one.output, 0)
  // The prompt was read once for all choices.
  emit({ usage: { prompt_tokens: tokens.length, cached_tokens: counts[0]?.cached ?? 0, completion_tokens: output } })
}

async function ask(body: ChatBody, resident: Resident): Promise<Question> {
  const { wrapper, model, placement, llama } = resident
  const history = historyOf(body)
  const functions = functionsOf(body)
  if (functions !== undefined && (body.schema !== undefined || body.grammar !== undefined)) {
    throw new ModelwireError('unsupported', 'models in this process can’t be held to tools and to a form of text at once', {
      hint: 'ask with `tools` first, and with `output` when the results are there',
    })
  }
  const { contextText } = wrapper.generateContextState({
    chatHistory: history,
    ...(functions === undefined ? {} : { availableFunctions: functions, documentFunctionParams: true }),
  })
  const tokens = contextText.tokenize(model.tokenizer)
  if (tokens.length >= placement.contextLength) throw tooLong(tokens.length, placement.contextLength)
  const grammar =
    body.grammar !== undefined
      ? await wellFormed('grammar', () => llama.createGrammar({ grammar: body.grammar ?? '' }))
      : body.schema === undefined
        ? undefined
        : await wellFormed('output', () => grammarOf(llama, body.schema ?? {}))
  return { body, resident, history, functions, grammar, tokens }
}

/** One answer, on a sequence of its own. */
async function answer(question: Question, choice: number, emit: Emit, signal: AbortSignal): Promise<Counts> {
  const { resident, tokens } = question
  const lanes = await resident.lanes()
  const sequence = await lanes.take(tokens, signal)
  try {
    return await write(question, choice, sequence, emit, signal)
  } finally {
    lanes.give(sequence)
  }
}

async function write(question: Question, choice: number, sequence: Sequence, emit: Emit, signal: AbortSignal): Promise<Counts> {
  const { LlamaChat } = await binding()
  const { resident, history, tokens } = question
  // The last token is always read again: it is what the first one of the answer comes from.
  const cached = Math.min(sequence.compareContextTokens(tokens).firstDifferentIndex, tokens.length - 1)
  const before = sequence.tokenMeter.getState()
  const llama = new LlamaChat({ contextSequence: sequence, chatWrapper: resident.wrapper })
  let spoken = false
  const say: Emit = (frame) => {
    spoken = true
    emit(choice === 0 ? frame : { ...frame, choice })
  }
  const used = (): Counts => ({ cached, output: sequence.tokenMeter.diff(before).usedOutputTokens })
  try {
    const options = await optionsOf(question, choice, say, signal, () => spoken)
    const response: LlamaChatResponse<ChatModelFunctions> = await llama.generateResponse(history, options)
    say({ stop: response.metadata.stopReason })
    return used()
  } catch (error) {
    if (error === full) {
      say({ stop: 'maxTokens' })
      return used()
    }
    if (!signal.aborted) await sequence.clearHistory() // nobody knows how far it came
    throw error
  } finally {
    llama.dispose({ disposeSequence: false })
  }
}

/** The context came to its end in mid-answer. */
const full = new Error('the context is full')

async function optionsOf(
  { body, resident, functions, grammar, tokens }: Question,
  choice: number,
  say: Emit,
  signal: AbortSignal,
  spoken: () => boolean,
): Promise<LLamaChatGenerateResponseOptions<ChatModelFunctions>> {
  const { contextLength } = resident.placement
  const { frequencyPenalty, presencePenalty, repeatPenalty } = body
  const punished = [frequencyPenalty, presencePenalty, repeatPenalty].some((penalty) => penalty !== undefined)
  const forced = functions !== undefined && ['required', 'tool'].includes(body.toolChoice?.type ?? '')
  return {
    signal,
    maxTokens: Math.min(body.maxTokens ?? Infinity, contextLength - tokens.length),
    temperature: body.temperature ?? 0.8,
    topP: body.topP ?? 0.95,
    topK: body.topK ?? 40,
    minP: body.minP ?? 0.05,
    // Without one the binding takes the clock's second, and all choices would say the same.
    seed: (body.seed ?? randomInt(2 ** 31)) + choice,
    // The binding punishes repetition unless told not to, and copying names and numbers is repetition.
    repeatPenalty: punished
      ? {
          penalty: repeatPenalty ?? 1,
          ...(frequencyPenalty === undefined ? {} : { frequencyPenalty }),
          ...(presencePenalty === undefined ? {} : { presencePenalty }),
        }
      : false,
    ...(body.stop === undefined ? {} : { customStopTriggers: body.stop }),
    ...(body.thoughtTokens === undefined ? {} : { budgets: { thoughtTokens: body.thoughtTokens } }),
    // It would drop the oldest messages without a word.
    contextShift: {
      size: 1,
      strategy: () => {
        throw spoken() ? full : tooLong(tokens.length, contextLength)
      },
    },
    onResponseChunk: ({ type, text }) => {
      if (text !== '') say(type === 'segment' ? { thought: text } : { text })
    },
    ...(forced ? { tokenBias: await forcedCall(resident.model, resident.wrapper) } : {}),
    ...(functions === undefined
      ? grammar === undefined
        ? {}
        : { grammar }
      : {
          functions,
          documentFunctionParams: true,
          ...(body.parallelCalls === false ? { maxParallelFunctionCalls: 1 } : {}),
          onFunctionCallParamsChunk: sayCalls(say),
        }),
  }
}

/** Calls in pieces. The grammar lets a model end its arguments with any space: that is held back, and dropped at the end. */
function sayCalls(say: Emit): NonNullable<LLamaChatGenerateResponseOptions<ChatModelFunctions>['onFunctionCallParamsChunk']> {
  const spaces = new Map<number, string>()
  return ({ callIndex: index, functionName: name, paramsChunk, done }) => {
    const held = spaces.get(index)
    const text = (held ?? '') + paramsChunk
    const piece = text.trimEnd()
    spaces.set(index, text.slice(piece.length))
    const opened = held === undefined ? { id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`, name } : {}
    say({ call: { index, ...opened, piece, done } })
  }
}

/** The tools that may be called. `none` shows none; a named one is the only one that is shown. */
function functionsOf({ functions = [], toolChoice }: ChatBody): ChatModelFunctions | undefined {
  if (functions.length === 0 || toolChoice?.type === 'none') return undefined
  const offered = toolChoice?.type === 'tool' ? functions.filter(({ name }) => name === toolChoice.name) : functions
  if (offered.length === 0) {
    throw new ModelwireError(
      'invalid_request',
      `\`toolChoice\` names ${JSON.stringify(toolChoice?.name)}, which isn't among \`tools\``,
    )
  }
  return Object.fromEntries(
    offered.map(({ name, description, parameters }) => [
      name,
      {
        ...(description === undefined ? {} : { description }),
        params: forcible(parameters ?? { type: 'object', properties: {} }),
      },
    ]),
  )
}

async function wellFormed<T>(field: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    throw new ModelwireError(
      'invalid_request',
      `\`${field}\` can't be made a grammar: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  }
}

export function tooLong(tokens: number, contextLength: number): ModelwireError {
  return new ModelwireError(
    'context_length',
    `the prompt has ${tokens} tokens, and the model was loaded with room for ${contextLength}`,
    {
      hint: 'shorten the conversation, or load the model with a larger `contextLength`',
    },
  )
}
