import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { ChatRequest, Part, RawTool, Tool, ToolChoice } from '../index.ts'
import { decimal, milliseconds, readData, readMap, setting, several, wholeNumber } from './inputs.ts'
import { addressOption, modelOption, modelOf, protocolsOption, type SessionFlags } from './session.ts'
import { UsageError } from './usage.ts'

/** A chat request, as options of a command. */
export interface RequestFlags extends SessionFlags {
  model?: string
  system?: string
  image?: string[]
  file?: string[]
  tools?: string
  toolChoice?: string
  schema?: string
  maxTokens?: number
  temperature?: number
  reasoning?: string
  wire?: string
  set?: Record<string, unknown>
  timeout?: number
  /** False by `--no-stream`. */
  stream: boolean
}

export function requestOptions(command: Command): Command {
  modelOption(command)
    .option('-s, --system <text>', 'what the model should know before it begins')
    .option('--image <path|url>', 'an image to look at (may be repeated)', several)
    .option('--file <path|url>', 'a document to read (may be repeated)', several)
    .option('--tools <file>', 'JSON or YAML: a list of { name, description, parameters }')
    .option('--tool-choice <choice>', 'auto, none, required, or the name of a tool')
    .option('--schema <file>', 'a JSON Schema that the answer must fit')
    .option('--max-tokens <n>', 'at most so many tokens', wholeNumber)
    .option('--temperature <x>', 'how far it may stray', decimal)
    .option('--reasoning <effort>', 'low, medium, high, …, or a number of tokens')
    .option('--wire <name>', 'a named alternative wire of the provider')
    .option('--set <name=value>', "another field of the provider's body: top_k=40, a.b=true (may be repeated)", setting)
  protocolsOption(addressOption(command))
    .option('--timeout <ms>', 'milliseconds for the whole call', milliseconds)
    .option('--strict', 'a warning is an error')
    .option('--no-stream', 'ask for the whole answer at once')
  return command
}

/** Everything of a chat but who says what. */
export async function buildSettings(flags: RequestFlags): Promise<ChatRequest> {
  const { system, tools, toolChoice, schema, maxTokens, temperature, reasoning, wire, set, timeout } = flags
  return {
    model: modelOf(flags),
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined ? {} : { tools: await readTools(tools) }),
    ...(toolChoice === undefined ? {} : { toolChoice: choiceOf(toolChoice) }),
    ...(schema === undefined ? {} : { output: await readMap(schema, 'the schema') }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(reasoning === undefined
      ? {}
      : { reasoning: /^\d+$/.test(reasoning) ? { budgetTokens: Number(reasoning) } : { effort: reasoning } }),
    ...(wire === undefined ? {} : { wire }),
    ...(set === undefined ? {} : { extra: set }),
    ...(timeout === undefined ? {} : { timeout }),
  }
}

/** Images and files stand before the words about them. */
export function buildPrompt(prompt: string, flags: RequestFlags): string | Part[] {
  const parts: Part[] = [
    ...(flags.image ?? []).map((path) => mediaPart('image', path)),
    ...(flags.file ?? []).map((path) => mediaPart('file', path)),
  ]
  return parts.length === 0 ? prompt : [...parts, { type: 'text', text: prompt }]
}

function mediaPart(type: 'image' | 'file', path: string): Part {
  if (/^https?:\/\//.test(path)) return { type, url: path }
  if (!existsSync(path) && !path.startsWith('data:')) throw new UsageError(`the ${type} ${path} doesn't exist`)
  return { type, data: path }
}

async function readTools(file: string): Promise<(Tool | RawTool)[]> {
  const data = await readData(file, 'the tools file')
  const list = typeof data === 'object' && data !== null && 'tools' in data ? data.tools : data
  const isTool = (tool: unknown): boolean =>
    typeof tool === 'object' && tool !== null && (('name' in tool && typeof tool.name === 'string') || 'raw' in tool)
  if (Array.isArray(list) && list.length > 0 && list.every(isTool)) return list as (Tool | RawTool)[] // just seen to be; the rest is checked by the runtime
  throw new UsageError(
    `the tools file ${file} should hold a list of tools`,
    'each is { name, description, parameters }, where parameters is a JSON Schema',
  )
}

function choiceOf(choice: string): ToolChoice {
  return choice === 'auto' || choice === 'none' || choice === 'required' ? choice : { type: 'tool', name: choice }
}
