import { binding, type ChatWrapper, type LlamaModel, type Token } from './binding.ts'

type TokenBias = import('node-llama-cpp').TokenBias

/** Far beyond any logit, so that no sampling setting chooses another. */
const certain = { logit: 10_000 }

/**
 * Makes the answer begin with a call: the binding has no `tool_choice`, but it asks for a bias before each token, so the
 * first ones are those with which the model's own template opens a call. From there on the call's grammar holds.
 */
export async function forcedCall(model: LlamaModel, { settings }: ChatWrapper): Promise<() => TokenBias> {
  const { LlamaText, TokenBias } = await binding()
  const { call, parallelism } = settings.functions
  const opening = LlamaText([parallelism?.call.sectionPrefix ?? '', call.prefix])
  const tokens = opening.tokenize(model.tokenizer)
  let at = 0
  const free = new TokenBias(model.tokenizer)
  return () => {
    const token: Token | undefined = tokens[at++]
    return token === undefined ? free : new TokenBias(model.tokenizer).set(token, certain)
  }
}
