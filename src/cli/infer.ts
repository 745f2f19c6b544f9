import type { Command } from 'commander'
import { type Status, tell } from './failure.ts'
import { milliseconds, readMap, readPipedMap, setting } from './inputs.ts'
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
import { out, toJson } from './terminal.ts'

interface InferFlags extends SessionFlags {
  model?: string
  input?: string
  set?: Record<string, unknown>
  schema?: string
  json?: boolean
  timeout?: number
}

const examples = `
Examples:
  modelwire infer captions -m provider/model --input segments.json
  modelwire infer custom -m provider/model --set instruction="Count the words." --set data="one two"
  cat segments.json | modelwire infer highlight-detection -m provider/model --input -

\`modelwire tasks\` lists the tasks with what they take.`

export function inferCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('infer')
    .description('do a structured task: JSON in, JSON that fits a schema out')
    .argument('<task>', 'the kind of task')
  modelOption(command)
    .option('--input <file>', 'the input, as JSON or YAML; - is standard input')
    .option('--set <name=value>', 'a field of the input (may be repeated)', setting)
    .option('--schema <file>', "a JSON Schema of the result, instead of the task's own")
    .option('--json', 'print usage, timing and warnings too')
  protocolsOption(addressOption(command))
    .option('--timeout <ms>', 'milliseconds for the whole task', milliseconds)
    .option('--strict', 'a warning is an error')
    .addHelpText('after', examples)
    .action(async (task: string, flags: InferFlags) => done(await infer(task, flags)))
}

const hint = 'the input is a map of fields, such as {"text": "…"}; `modelwire tasks` lists those that each task takes'

async function infer(task: string, flags: InferFlags): Promise<Status> {
  const modelId = modelOf(flags)
  const input = { ...(await inputOf(flags)), ...flags.set }
  const outputSchema = flags.schema === undefined ? undefined : await readMap(flags.schema, 'the schema')
  const mw = await openRuntime(flags, providerOf(modelId))
  const { signal, stop } = interruptible()
  try {
    const options = { signal, ...(flags.timeout === undefined ? {} : { timeout: flags.timeout }) }
    const done = await mw.infer({ modelId, task, input, options, ...(outputSchema === undefined ? {} : { outputSchema }) })
    out(`${toJson(flags.json === true ? done : done.result)}\n`)
    return 0
  } catch (error) {
    return tell(error)
  } finally {
    stop()
    await mw.close()
  }
}

async function inputOf({ input }: InferFlags): Promise<Record<string, unknown>> {
  if (input === undefined) return {}
  return input === '-' ? readPipedMap(hint) : readMap(input, 'the input', hint)
}
