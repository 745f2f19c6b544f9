import { ModelwireError } from '../../core/error.ts'
import type { LocatedModel } from '../../wire/engine.ts'

/** What a model's own manifest says about how its graph is used. */
export interface Settings {
  pooling: Pooling | undefined
  normalize: boolean
  /** Tokens that the model reads at most; absent: what the tokenizer says. */
  maxTokens: number | undefined
  /** Tokens of one run, padding included. */
  batchTokens: number
  /** The graph's output to read, where its name isn't one of the usual. */
  output: string | undefined
  /** Threads of one run; absent: as many as there are cores. */
  threads: number | undefined
  /** Words before a text, by what it is for (`query`, `document`). */
  prefixes: Readonly<Record<string, string>>
  /** How a reranker's numbers become a score. */
  activation: 'sigmoid' | 'none'
}

export type Pooling = 'mean' | 'cls' | 'last' | 'none'

const known = new Set(['pooling', 'normalize', 'maxTokens', 'batchTokens', 'output', 'threads', 'prefixes', 'activation'])

export function readSettings({ id, config }: LocatedModel): Settings {
  const wrong = (key: string, expected: string): ModelwireError =>
    new ModelwireError(
      'configuration',
      `the model "${id}": config.${key} must be ${expected}, got ${JSON.stringify(config[key])}`,
      {
        hint: "correct it in the model's manifest",
      },
    )
  const whole = (key: string): number | undefined => {
    const value = config[key]
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1_000_000)
      throw wrong(key, 'a whole number from 1')
    return value
  }
  const oneOf = <T extends string>(key: string, words: readonly T[]): T | undefined => {
    const value = config[key]
    if (value === undefined || value === null) return undefined
    const found = words.find((word) => word === value)
    if (found === undefined) throw wrong(key, `one of ${words.join(', ')}`)
    return found
  }
  const { normalize = true, output, prefixes = {} } = config
  if (typeof normalize !== 'boolean') throw wrong('normalize', 'true or false')
  if (output !== undefined && typeof output !== 'string') throw wrong('output', 'the name of an output')
  if (!isTexts(prefixes)) throw wrong('prefixes', 'a map of texts')
  return {
    pooling: oneOf('pooling', ['mean', 'cls', 'last', 'none']),
    normalize,
    maxTokens: whole('maxTokens'),
    batchTokens: whole('batchTokens') ?? 4_096,
    output,
    threads: whole('threads'),
    prefixes,
    activation: oneOf('activation', ['sigmoid', 'none']) ?? 'sigmoid',
  }
}

/** Keys that have no meaning here: a typo changes what vectors are, so it is told. */
export function strangeKeys({ config }: LocatedModel): string[] {
  return Object.keys(config).filter((key) => !known.has(key))
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string')
}
