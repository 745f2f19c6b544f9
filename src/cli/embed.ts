import { existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { EmbedRequest, EmbedResult } from '../index.ts'
import { type Status, tell } from './failure.ts'
import { milliseconds, readPiped, setting, wholeNumber } from './inputs.ts'
import {
  addressOption,
  interruptible,
  modelOf,
  modelOption,
  openRuntime,
  protocolsOption,
  providerOf,
  type SessionFlags,
} from './session.ts'
import { warningText } from './speak.ts'
import { span, usageOf } from './summary.ts'
import { note, out, paintNote, toJson } from './terminal.ts'
import { UsageError } from './usage.ts'

interface EmbedFlags extends SessionFlags {
  model?: string
  output?: string
  json?: boolean
  dimensions?: number
  purpose?: string
  wire?: string
  set?: Record<string, unknown>
  timeout?: number
}

const examples = `
Examples:
  modelwire embed -m provider/model "one text" "another text"
  modelwire embed -m provider/model -o vectors.jsonl < lines.txt
  modelwire embed -m provider/model --json "a text" | jq '.embeddings[0] | length'

Each text gives a line: its vector, as a list in JSON. Piped in, each line that isn't empty is a text.`

export function embedCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('embed')
    .description('turn texts into vectors')
    .argument('[text...]', 'the texts; without them the lines of standard input')
  modelOption(command)
    .option('-o, --output <file>', 'write there instead of to standard output')
    .option('--json', 'print the whole result as one JSON object')
    .option('--dimensions <n>', 'so many numbers a vector', wholeNumber)
    .option('--purpose <word>', "what they are for, in the provider's words")
    .option('--wire <name>', 'a named alternative wire of the provider')
    .option('--set <name=value>', "another field of the provider's body (may be repeated)", setting)
  protocolsOption(addressOption(command))
    .option('--timeout <ms>', 'milliseconds for the whole call', milliseconds)
    .option('--strict', 'a warning is an error')
    .addHelpText('after', examples)
    .action(async (texts: string[], flags: EmbedFlags) => done(await embed(texts, flags)))
}

async function embed(texts: string[], flags: EmbedFlags): Promise<Status> {
  const { dimensions, purpose, wire, set, timeout } = flags
  const model = modelOf(flags)
  const folder = dirname(flags.output ?? '.')
  if (!existsSync(folder)) throw new UsageError(`the folder ${folder} of the output doesn't exist`)
  const input = texts.length > 0 ? texts : await linesOfInput()
  const request: EmbedRequest = {
    model,
    input,
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(wire === undefined ? {} : { wire }),
    ...(set === undefined ? {} : { extra: set }),
    ...(timeout === undefined ? {} : { timeout }),
  }
  const mw = await openRuntime(flags, providerOf(model))
  const { signal, stop } = interruptible()
  try {
    write(await mw.embed({ ...request, signal }), flags)
    return 0
  } catch (error) {
    return tell(error)
  } finally {
    stop()
    await mw.close()
  }
}

async function linesOfInput(): Promise<string[]> {
  const lines = ((await readPiped(true)) ?? '').split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.length > 0) return lines
  throw new UsageError('there is nothing to embed', 'give texts as arguments, or pipe them in, one a line')
}

function write(result: EmbedResult, { output, json }: EmbedFlags): void {
  const { embeddings, warnings, timing } = result
  const text = json === true ? `${toJson(result)}\n` : embeddings.map((vector) => `${JSON.stringify(vector)}\n`).join('')
  if (output === undefined) out(text)
  else writeFileSync(output, text)
  if (json === true && output === undefined) return
  for (const warning of warnings) note(`${paintNote.yellow('warning:')} ${warningText(warning)}`)
  const said = [
    `${embeddings.length} × ${embeddings[0]?.length ?? 0}`,
    ...usageOf(result),
    span(timing.totalMs),
    ...(output === undefined ? [] : [`→ ${output}`]),
  ]
  note(paintNote.dim(said.join(' · ')))
}
