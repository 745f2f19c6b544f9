import { createInterface } from 'node:readline'
import type { ChatRequest, Message, Runtime } from '../index.ts'
import { didYouMean } from '../manifest/suggest.ts'
import type { ChatFlags } from './chat.ts'
import { isModelwireError, type Status, tell } from './failure.ts'
import { buildPrompt } from './request.ts'
import { showResult, showStream } from './speak.ts'
import { summarize } from './summary.ts'
import { note, paint, paintNote, safe } from './terminal.ts'

const help: [string, string][] = [
  ['/help', 'this list'],
  ['/model [provider/model]', 'show the model, or go on with another one'],
  ['/system [text]', 'show the instructions, or set them; /system - removes them'],
  ['/clear', 'forget what was said'],
  ['/retry', 'ask the last question again'],
  ['/exit', 'leave (or Ctrl-D)'],
]
const names = help.map(([usage]) => usage.split(' ')[0] ?? '')

/** What a conversation is, between two of its turns. */
interface Talk {
  mw: Runtime
  request: ChatRequest
  messages: Message[]
  flags: ChatFlags
  /** What was typed before, newest first. */
  typed: string[]
}

/** Talks on the terminal until the user leaves. Ctrl-C cancels an answer; where there is none, a second one leaves. */
export async function converse(mw: Runtime, request: ChatRequest, flags: ChatFlags): Promise<Status> {
  const talk: Talk = { mw, request, messages: [], flags, typed: [] }
  mw.explain({ ...request, prompt: 'Hello' }) // an unknown provider should be told before anything is typed
  note(`${paintNote.bold(request.model)}  ${paintNote.dim('/help lists the commands, Ctrl-D leaves')}`)
  let warned = false
  for (;;) {
    const line = await readLine(talk, paint.green('› '))
    if (line === 'end') return 0
    if (line === 'interrupt') {
      if (warned) return 130
      warned = true
      note(paintNote.dim('Ctrl-C again leaves'))
      continue
    }
    warned = false
    const text = line.text.trim()
    if (text === '/exit' || text === '/quit') return 0
    if (text === '') continue
    const asked = text.startsWith('/') && !text.includes('\n') ? command(text, talk) : text
    if (asked !== undefined) warned = await answer(asked, talk)
  }
}

// ---- commands ----------------------------------------------------------------------------------------------------

/** Obeys a command; gives what is to be asked, if anything. */
function command(text: string, talk: Talk): string | undefined {
  const [name = '', ...rest] = text.split(/\s+/)
  const argument = rest.join(' ')
  switch (name) {
    case '/help':
      for (const [usage, meaning] of help) note(`  ${usage.padEnd(26)}${paintNote.dim(meaning)}`)
      return undefined
    case '/model':
      return changeModel(argument, talk)
    case '/system':
      return changeSystem(argument, talk)
    case '/clear':
      talk.messages = []
      note(paintNote.dim('forgotten'))
      return undefined
    case '/retry':
      return lastQuestion(talk)
    default:
      note(`${paintNote.red('error:')} no command is called ${safe(name)}${didYouMean(name, names)} /help lists them`)
      return undefined
  }
}

function changeModel(model: string, talk: Talk): undefined {
  try {
    if (model !== '') talk.mw.explain({ ...talk.request, model, prompt: 'Hello' })
    if (model !== '') talk.request = { ...talk.request, model }
    note(paintNote.dim(talk.request.model))
  } catch (error) {
    tell(error)
  }
}

function changeSystem(text: string, talk: Talk): undefined {
  const { system, ...rest } = talk.request
  if (text === '-') talk.request = rest
  else if (text !== '') talk.request = { ...rest, system: text }
  const now = text === '' ? system : talk.request.system
  note(paintNote.dim(typeof now === 'string' ? safe(now) : 'no instructions'))
}

function lastQuestion(talk: Talk): string | undefined {
  const at = talk.messages.findLastIndex(({ role, content }) => role === 'user' && typeof content === 'string')
  const question = talk.messages[at]?.content
  if (typeof question !== 'string') {
    note(paintNote.dim('nothing was asked yet'))
    return undefined
  }
  talk.messages = talk.messages.slice(0, at)
  return question
}

// ---- turns -------------------------------------------------------------------------------------------------------

/** One question and its answer, with the results of tools where the model wants some. True when it was cancelled. */
async function answer(text: string, talk: Talk): Promise<boolean> {
  const first = talk.messages.length === 0
  talk.messages.push({ role: 'user', content: first ? buildPrompt(text, talk.flags) : text })
  const before = talk.messages.length - 1
  try {
    let calls = await turn(talk)
    while (calls.length > 0) {
      const content = []
      for (const { id, name } of calls) {
        const result = await readLine(talk, paint.cyan(`result of ${safe(name)} › `))
        if (typeof result === 'string') throw new DOMException('left', 'AbortError')
        content.push({ type: 'tool_result' as const, id, name, content: result.text })
      }
      talk.messages.push({ role: 'tool', content })
      calls = await turn(talk)
    }
    return false
  } catch (error) {
    talk.messages.length = before
    const left =
      (error instanceof DOMException && error.name === 'AbortError') || (isModelwireError(error) && error.kind === 'cancelled')
    if (left) keepPartial(error, text, talk)
    else tell(error)
    return left
  }
}

/** What had been said before Ctrl-C stays part of the conversation. */
function keepPartial(error: unknown, text: string, talk: Talk): void {
  const said = isModelwireError(error) ? (error.partial?.text ?? '') : ''
  if (said !== '') talk.messages.push({ role: 'user', content: text }, { role: 'assistant', content: said })
  note(paintNote.dim('cancelled'))
}

async function turn(talk: Talk): Promise<{ id: string; name: string }[]> {
  const controller = new AbortController()
  const cancel = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Error('interrupted'))
  }
  process.on('SIGINT', cancel)
  try {
    const request = { ...talk.request, messages: talk.messages, signal: controller.signal }
    const result = talk.flags.stream ? await showStream(talk.mw.stream(request)) : showResult(await talk.mw.chat(request))
    summarize(result, talk.flags.verbose === true)
    talk.messages.push(result.message)
    return result.toolCalls
  } finally {
    process.off('SIGINT', cancel)
  }
}

// ---- the line ----------------------------------------------------------------------------------------------------

/** The lines of one paste are one message. */
const pause = 20

/**
 * One message: a line, the lines of a paste, or lines that end in a backslash. The interface lives only while it is
 * typed, so that in between the terminal itself turns Ctrl-C into a signal.
 */
function readLine(talk: Talk, prompt: string): Promise<{ text: string } | 'end' | 'interrupt'> {
  return new Promise((resolve) => {
    const reader = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal: true,
      prompt,
      history: talk.typed,
      removeHistoryDuplicates: true,
      completer: (line: string) => [names.filter((name) => line !== '' && name.startsWith(line)), line],
    })
    const lines: string[] = []
    let timer: NodeJS.Timeout | undefined
    let over = false

    const leave = (made: { text: string } | 'end' | 'interrupt'): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      reader.close()
      if (made === 'end' || made === 'interrupt') process.stdout.write('\n')
      resolve(made)
    }
    reader.on('history', (history: string[]) => (talk.typed = [...history]))
    reader.on('line', (line) => {
      clearTimeout(timer)
      lines.push(line.endsWith('\\') ? line.slice(0, -1) : line)
      if (line.endsWith('\\')) {
        reader.setPrompt(paint.dim('… '))
        reader.prompt()
      } else timer = setTimeout(() => leave({ text: lines.join('\n') }), pause)
    })
    reader.on('SIGINT', () => {
      if (reader.line === '') return leave('interrupt')
      reader.write(null, { ctrl: true, name: 'e' })
      reader.write(null, { ctrl: true, name: 'u' })
    })
    reader.on('close', () => leave(lines.length > 0 ? { text: lines.join('\n') } : 'end'))
    reader.prompt()
  })
}
