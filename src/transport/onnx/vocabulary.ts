/** A tokenizer.json in which no text can be read as a special token. */
export interface Guarded {
  vocabulary: object
  /** The ids of the special tokens: only the file's own template puts them in. */
  specials: ReadonlyMap<string, number>
  padId: number
  maxTokens: number | undefined
}

type PlainMap = Record<string, unknown>

/**
 * A text that says `[SEP]` is a text about `[SEP]`: its author mustn't be able to end a passage, or to begin one. So the
 * special tokens are taken from the list of words that are cut out of a text first, and their places in the vocabulary get
 * names that no text has: half of a surrogate pair, which well-formed text doesn't hold. The word for what is unknown stays.
 */
export function guard(json: object): Guarded {
  const file = json as PlainMap // a map, whose values are looked at one by one
  const added = listOf(file.added_tokens).filter(isMap)
  const model = isMap(file.model) ? file.model : {}
  if (typeof model.type === 'string' && !['WordPiece', 'BPE', 'Unigram'].includes(model.type)) {
    throw new Error(`its kind of model is ${model.type}; WordPiece, BPE and Unigram can be read`)
  }
  const unknown = unknownOf(model)
  const specials = new Map<string, number>([...templated(file.post_processor), ...added.filter(isSpecial).map(entryOf)])
  const hidden = new Map([...specials].filter(([token]) => token !== unknown))
  const lost = unknown === undefined ? undefined : specials.get(unknown)
  return {
    vocabulary: {
      ...file,
      added_tokens: added.filter((token) => !isSpecial(token)),
      model: { ...model, vocab: renamed(model.vocab, hidden, unknown, lost) },
    },
    specials,
    padId: padOf(file, specials),
    maxTokens: isMap(file.truncation) && typeof file.truncation.max_length === 'number' ? file.truncation.max_length : undefined,
  }
}

function renamed(
  vocab: unknown,
  hidden: ReadonlyMap<string, number>,
  unknown: string | undefined,
  id: number | undefined,
): unknown {
  const name = (token: string): string => (hidden.has(token) ? `\uD800${hidden.get(token) ?? ''}` : token)
  if (Array.isArray(vocab)) {
    return vocab.map((entry: unknown) => (Array.isArray(entry) ? [name(String(entry[0])), ...entry.slice(1)] : entry))
  }
  if (!isMap(vocab)) return vocab
  const entries = Object.entries(vocab).map(([token, place]) => [name(token), place] as const)
  // Some files have the word for what is unknown in the list of special tokens alone.
  return Object.fromEntries(unknown === undefined || id === undefined ? entries : [...entries, [unknown, id]])
}

function unknownOf(model: PlainMap): string | undefined {
  if (typeof model.unk_token === 'string') return model.unk_token
  const entry = typeof model.unk_id === 'number' ? listOf(model.vocab)[model.unk_id] : undefined
  return Array.isArray(entry) ? String(entry[0]) : undefined
}

/** The tokens that the template names itself, in the three forms that files have. */
function templated(processor: unknown): [string, number][] {
  if (!isMap(processor)) return []
  const named = isMap(processor.special_tokens) ? Object.entries(processor.special_tokens) : []
  return [
    ...named.flatMap(([token, about]) => pair([token, isMap(about) ? listOf(about.ids)[0] : undefined])),
    ...pair(processor.cls),
    ...pair(processor.sep),
    ...listOf(processor.processors).flatMap(templated),
  ]
}

function pair(value: unknown): [string, number][] {
  const [token, id] = listOf(value)
  return typeof token === 'string' && typeof id === 'number' ? [[token, id]] : []
}

function padOf(file: PlainMap, specials: ReadonlyMap<string, number>): number {
  if (isMap(file.padding) && typeof file.padding.pad_id === 'number') return file.padding.pad_id
  return specials.get('[PAD]') ?? specials.get('<pad>') ?? 0
}

interface Special {
  content: string
  id: number
}

function isSpecial(token: PlainMap): token is PlainMap & Special {
  return token.special === true && typeof token.content === 'string' && typeof token.id === 'number'
}

function entryOf({ content, id }: Special): [string, number] {
  return [content, id]
}

function isMap(value: unknown): value is PlainMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
