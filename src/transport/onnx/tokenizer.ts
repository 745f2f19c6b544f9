import { readFile, stat } from 'node:fs/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { ModelwireError } from '../../core/error.ts'
import { guard } from './vocabulary.ts'

/** One text, or one pair of texts, as the model reads it. */
export interface Encoded {
  ids: number[]
  /** Which text of a pair each token is of. */
  types: number[]
  /** Tokens that were left out because there was no room. */
  cut: number
}

export interface Room {
  maxTokens: number
  /** Whether a text that is too long is cut; else it is an error. */
  truncate: boolean
}

export interface TextTokenizer {
  /** Throws `context_length` when it doesn't fit; `which` names the text in errors. Of a pair the second is cut. */
  encode(text: string, pair: string | undefined, room: Room, which: string): Encoded
  padId: number
  /** The length that the file itself names for cutting. */
  maxTokens: number | undefined
}

/** What is used of the library, whose types can't be resolved by everyone: they import each other without extensions. */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | null | undefined)[]; tokens: string[] }
  post_processor: ((text: string[], pair: string[] | null, special: boolean) => Dressed) | null
}

/** Tokens with the special ones that the template puts around them. */
interface Dressed {
  tokens: string[]
  token_type_ids?: number[]
}

const largestFile = 256 * 1024 * 1024
const longestText = 1_000_000

/** Reads a `tokenizer.json`, and beside it, where a model needs that, its `tokenizer_config.json`. */
export async function readTokenizer(file: string, configFile?: string): Promise<TextTokenizer> {
  const [json, config] = await Promise.all([readJson(file), configFile === undefined ? {} : readJson(configFile)])
  try {
    const { vocabulary, specials, padId, maxTokens } = guard(json)
    return { padId, maxTokens, encode: encoder(new Tokenizer(vocabulary, config), specials) }
  } catch (error) {
    throw unreadable(file, error)
  }
}

async function readJson(file: string): Promise<object> {
  let text: string
  try {
    const { size } = await stat(file)
    if (size > largestFile) throw unreadable(file, new Error(`it has ${size} bytes, more than ${largestFile}`))
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof ModelwireError) throw error
    throw new ModelwireError('not_found', `the tokenizer ${file} can't be read: ${reasonOf(error)}`, {
      hint: "a model needs the tokenizer.json that was published with it; its manifest's `files.tokenizer` says where it is",
    })
  }
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
    throw new Error('expected a map')
  } catch (error) {
    throw unreadable(file, error)
  }
}

function encoder(tokenizer: Library, specials: ReadonlyMap<string, number>): TextTokenizer['encode'] {
  /** A token that has no id (a character that the vocabulary doesn't know, where it has no word for that) says nothing. */
  const tokensOf = (text: string, ids: Map<string, number>, which: string): string[] => {
    if (text.length > longestText) {
      throw new ModelwireError('request_too_large', `${which} has ${text.length} characters, more than ${longestText}`)
    }
    const encoded = tokenizer.encode(text.toWellFormed(), { add_special_tokens: false })
    for (const [index, token] of encoded.tokens.entries()) {
      const id = encoded.ids[index]
      if (typeof id === 'number') ids.set(token, id)
    }
    return encoded.tokens.filter((token) => ids.has(token))
  }
  const dressed = (text: string[], pair: string[] | undefined): Dressed =>
    tokenizer.post_processor?.(text, pair ?? null, true) ?? { tokens: [...text, ...(pair ?? [])] }

  return (text, pair, { maxTokens, truncate }, which) => {
    const ids = new Map<string, number>()
    const first = tokensOf(text, ids, which)
    const second = pair === undefined ? undefined : tokensOf(pair, ids, which)
    const whole = dressed(first, second)
    const over = Math.max(0, whole.tokens.length - maxTokens)
    const cuttable = second ?? first
    if (over > 0 && (!truncate || over > cuttable.length))
      throw tooLong(which, whole.tokens.length, maxTokens, over > cuttable.length)
    const kept = cuttable.slice(0, cuttable.length - over)
    const { tokens, token_type_ids: types = [] } =
      over === 0 ? whole : second === undefined ? dressed(kept, undefined) : dressed(first, kept)
    return {
      ids: tokens.map((token) => specials.get(token) ?? ids.get(token) ?? strange(token)),
      types: tokens.map((_, index) => types[index] ?? 0),
      cut: over,
    }
  }
}

function tooLong(which: string, tokens: number, maxTokens: number, hopeless: boolean): ModelwireError {
  return new ModelwireError('context_length', `${which} has ${tokens} tokens, and the model reads ${maxTokens}`, {
    hint: hopeless ? 'shorten it' : 'shorten it, split it, or pass extra: { truncate: true } to have the rest left out',
  })
}

/** The file's own template asks for a token that no list of the file has. */
function strange(token: string): never {
  throw new ModelwireError('configuration', `the tokenizer wants the token ${JSON.stringify(token)}, and has no id for it`, {
    hint: 'download tokenizer.json again, from where the model comes from',
  })
}

function unreadable(file: string, error: unknown): ModelwireError {
  if (error instanceof ModelwireError) return error
  return new ModelwireError('configuration', `${file} isn't a tokenizer that can be used: ${reasonOf(error)}`, {
    hint: 'it must be the tokenizer.json of the Hugging Face tokenizers library; download it again if it is one',
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
