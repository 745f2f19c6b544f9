import { type Command, Option } from 'commander'
import type { ChatRequest, EmbedRequest, Explanation } from '../index.ts'
import type { Status } from './failure.ts'
import { readMap } from './inputs.ts'
import { buildPrompt, buildSettings, type RequestFlags, requestOptions } from './request.ts'
import { modelOf, openRuntime, providerOf } from './session.ts'
import { warningText } from './speak.ts'
import { near, note, out, outJson, paint, paintNote, safe } from './terminal.ts'

interface ExplainFlags extends RequestFlags {
  request?: string
  operation?: string
  curl?: boolean
  json?: boolean
}

const examples = `
Examples:
  modelwire explain -m provider/model "Hello"
  modelwire explain -m provider/model --reasoning high --max-tokens 100 "Hello"
  modelwire explain -m provider/model --request request.yaml --json
  modelwire explain -m provider/model --curl "Hello" | sh

Nothing is sent. Where a secret goes stands the variable that holds it. A request file holds the fields of a request
to the library: prompt or messages, system, tools, maxTokens, extra, …; or input, for embeddings.`

export function explainCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('explain')
    .description('show the exact call, and the line of the manifest that made each field')
    .argument('[prompt...]', 'what would be asked; "Hello" when absent')
  requestOptions(command)
    .option('--request <file>', 'a request in JSON or YAML; options go over its fields')
    .addOption(new Option('--operation <name>', 'what would be done').choices(['chat', 'embed']))
    .option('--curl', 'print it as a command for a shell')
    .option('--json', 'print it as one JSON object')
    .addHelpText('after', examples)
    .action(async (words: string[], flags: ExplainFlags) => done(await explain(words.join(' '), flags)))
}

async function explain(words: string, flags: ExplainFlags): Promise<Status> {
  const request = await buildRequest(words, flags)
  const mw = await openRuntime(flags, providerOf(request.model))
  try {
    const how = { stream: flags.stream, ...(flags.operation === undefined ? {} : { operation: flags.operation }) }
    const explanation = mw.explain(request, how)
    if (flags.json === true) outJson(explanation)
    else if (flags.curl === true) out(`${explanation.curl}\n`)
    else await show(explanation)
    if (flags.json !== true)
      for (const warning of explanation.warnings) note(`${paintNote.yellow('warning:')} ${warningText(warning)}`)
    return 0
  } finally {
    await mw.close()
  }
}

async function buildRequest(words: string, flags: ExplainFlags): Promise<ChatRequest | EmbedRequest> {
  const given = flags.request === undefined ? {} : await readMap(flags.request, 'the request')
  const model = modelOf({
    ...(typeof given.model === 'string' ? { model: given.model } : {}),
    ...(flags.model === undefined ? {} : { model: flags.model }),
  })
  const settings = await buildSettings({ ...flags, model })
  if (flags.operation === 'embed' || 'input' in given) {
    const { tools: _, ...plain } = settings
    return { ...given, ...plain, input: words !== '' ? words : ((given.input as string[] | undefined) ?? 'Hello') } // the runtime checks what it is
  }
  const asks = 'prompt' in given || 'messages' in given
  return { ...given, ...settings, ...(words === '' && asks ? {} : { prompt: buildPrompt(words === '' ? 'Hello' : words, flags) }) }
}

async function show({ method, url, headers, fields }: Explanation): Promise<void> {
  const { brief, table } = await import('./table.ts')
  const names = Math.max(...fields.map(({ field }) => field.length), ...Object.keys(headers).map((name) => name.length))
  const shown = Object.entries(headers).map(([name, value]) => [name.padEnd(names), safe(value)])
  out(`${paint.bold(method)} ${safe(url)}\n${shown.length === 0 ? '' : `\n${table(['header', 'value'], shown)}`}`)
  if (fields.length === 0) return
  const lines = fields.map(({ where }) => near(where))
  // A pipe gets whole values.
  const room = process.stdout.isTTY
    ? Math.max(24, process.stdout.columns - names - Math.max(...lines.map((line) => line.length)) - 4)
    : Infinity
  const rows = fields.map(({ field, value }, index) => [
    safe(field).padEnd(names),
    paint.dim(lines[index] ?? ''),
    brief(value, room),
  ])
  out(`\n${table(['field', 'made by', 'value'], rows)}`)
}
