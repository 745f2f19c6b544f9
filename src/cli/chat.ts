import type { Command } from 'commander'
import type { ChatRequest, Runtime, Stream } from '../index.ts'
import { isModelwireError, type Status, tell } from './failure.ts'
import { readPiped } from './inputs.ts'
import { buildPrompt, buildSettings, type RequestFlags, requestOptions } from './request.ts'
import { unnamed } from './unnamed.ts'
import { interruptible, openRuntime, providerOf } from './session.ts'
import { showResult, showStream } from './speak.ts'
import { summarize, tellCall } from './summary.ts'
import { note, out, outJson, paintNote, toJson } from './terminal.ts'
import { UsageError } from './usage.ts'

export interface ChatFlags extends RequestFlags {
  json?: boolean
  events?: boolean
  verbose?: boolean
}

const examples = `
Examples:
  modelwire chat "What is Modelwire?"                 without a model and a key, the small one that comes along answers
  modelwire chat -m provider/model "Why is the sky blue?"
  git diff | modelwire chat -m provider/model "Write a commit message"
  modelwire chat -m provider/model --image cat.jpg "What is this?"
  modelwire chat -m provider/model --schema person.json "Invent a person" --json
  modelwire chat -m provider/model --set top_k=40 --set options.num_ctx=8192 "Hello"
  modelwire chat -m provider/model                    a conversation, on a terminal

The answer goes to standard output; reasoning, warnings, tool calls, usage and speed to standard error.
What is piped in follows the prompt, or is the prompt. The key is read from the environment.`

export function chatCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('chat')
    .description('ask a model, or talk with it')
    .argument('[prompt...]', 'what to ask; without it a conversation begins')
  requestOptions(command)
    .option('--json', 'print the whole result as one JSON object')
    .option('--events', 'print each event as a line of JSON, as it comes')
    .option('-v, --verbose', 'tell where the call goes and what the reply said beside its answer')
    .addHelpText('after', examples)
    .action(async (words: string[], flags: ChatFlags) => done(await chat(words.join(' '), flags)))
}

async function chat(words: string, flags: ChatFlags): Promise<Status> {
  if (flags.json === true && flags.events === true) throw new UsageError('--json and --events exclude each other')
  if (flags.events === true && !flags.stream) throw new UsageError('--events and --no-stream exclude each other')
  const settings = await buildSettings(flags.model === undefined ? { ...flags, ...(await unnamed(flags)) } : flags)
  const mw = await openRuntime(flags, providerOf(settings.model))
  try {
    const piped = await readPiped(words === '')
    const prompt = [words, piped?.trimEnd()].filter((text) => text !== undefined && text !== '').join('\n\n')
    if (prompt !== '') return await ask(mw, { ...settings, prompt: buildPrompt(prompt, flags) }, flags)
    if (piped !== undefined || !process.stdout.isTTY || flags.json === true || flags.events === true) {
      throw new UsageError('there is nothing to ask', 'give a prompt as an argument, or pipe it in')
    }
    const { converse } = await import('./conversation.ts')
    return await converse(mw, settings, flags)
  } finally {
    await mw.close()
  }
}

async function ask(mw: Runtime, request: ChatRequest, flags: ChatFlags): Promise<Status> {
  if (flags.verbose === true) tellCall(mw.explain(request, { stream: flags.stream }))
  const { signal, stop } = interruptible()
  const asked = { ...request, signal }
  try {
    if (flags.events === true) await printEvents(mw.stream(asked))
    else if (flags.json === true) outJson(flags.stream ? await mw.stream(asked).result : await mw.chat(asked))
    else {
      const result = flags.stream ? await showStream(mw.stream(asked)) : showResult(await mw.chat(asked))
      summarize(result, flags.verbose === true)
    }
    return 0
  } catch (error) {
    if (flags.json === true && isModelwireError(error)) outJson({ error: error.toJSON() })
    if (signal.aborted && process.stderr.isTTY) note(paintNote.dim('interrupted'))
    return tell(error)
  } finally {
    stop()
  }
}

async function printEvents(stream: Stream): Promise<void> {
  try {
    for await (const batch of stream.batches()) out(batch.map((event) => `${toJson(event)}\n`).join(''))
  } catch (error) {
    if (isModelwireError(error)) outJson({ type: 'error', error: error.toJSON() })
    throw error
  }
}
