import { ModelwireError } from '../core/error.ts'
import type { ChatResult } from '../core/result.ts'

type Check = ((value: unknown) => boolean) & { errors?: { instancePath?: string; message?: string }[] | null }

const checks = new WeakMap<object, Check>()

/** The check of a schema, compiled once; before anything is sent, so that what isn't a schema costs nothing. */
export async function compileOutput(schema: Record<string, unknown>): Promise<Check> {
  const check = checks.get(schema) ?? (await compile(schema))
  checks.set(schema, check)
  return check
}

/** Sets `object` on each choice that answered with JSON as `output` asked; throws `output` for one that doesn't fit. */
export async function checkOutput(result: ChatResult, schema: Record<string, unknown> | undefined): Promise<ChatResult> {
  if (schema === undefined) return result
  const check = await compileOutput(schema)
  for (const choice of result.choices) {
    // A call, a refusal or a block by a filter is no answer, so there's nothing to check.
    if (
      choice.text.trim() === '' &&
      (choice.toolCalls.length > 0 || choice.refusal !== undefined || choice.finishReason === 'content_filter')
    )
      continue
    choice.object = validated(choice.text, check, result)
  }
  if (result.choices[0] !== undefined && 'object' in result.choices[0]) result.object = result.choices[0].object
  return result
}

async function compile(schema: Record<string, unknown>): Promise<Check> {
  const draft = typeof schema.$schema === 'string' ? schema.$schema : ''
  const { default: module } = /draft-0[4-7]/.test(draft) ? await import('ajv') : await import('ajv/dist/2020.js')
  const Ajv = 'default' in module ? module.default : module
  try {
    return new Ajv({ strict: false, validateFormats: false }).compile(schema) as Check
  } catch (error) {
    throw new ModelwireError(
      'invalid_request',
      `\`output\` isn't a JSON Schema: ${error instanceof Error ? error.message : 'it is broken'}`,
    )
  }
}

function validated(text: string, check: Check, partial: ChatResult): unknown {
  const object = parse(text)
  if (object === undefined) {
    const hint =
      partial.finishReason === 'length'
        ? 'the reply was cut: raise maxTokens'
        : 'ask again, or check that the model follows schemas'
    throw new ModelwireError('output', "the reply isn't the JSON that `output` asked for", {
      provider: partial.provider,
      model: partial.model,
      partial,
      hint,
    })
  }
  if (check(object)) return object
  const first = check.errors?.[0]
  throw new ModelwireError(
    'output',
    `the reply doesn't fit \`output\`: ${first?.instancePath ?? ''} ${first?.message ?? 'misfit'}`.replace(':  ', ': '),
    {
      provider: partial.provider,
      model: partial.model,
      partial,
      hint: 'ask again, or simplify the schema',
    },
  )
}

/** The text itself, or what stands in its first code fence: models like to wrap JSON. */
function parse(text: string): unknown {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/.exec(text)?.[1]
  for (const candidate of [text, fenced]) {
    if (candidate === undefined) continue
    try {
      return JSON.parse(candidate) as unknown
    } catch {
      // Not this one; when neither is JSON the caller gets `output`.
    }
  }
  return undefined
}
