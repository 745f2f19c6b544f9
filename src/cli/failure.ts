import type { CommanderError } from 'commander'
import type { ModelwireError } from '../index.ts'
import { near, note, paintNote, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Exit statuses: 0 done, 1 failed, 2 wrong usage, 130 interrupted. */
export type Status = 0 | 1 | 2 | 130

const longest = 2_000

/** Says in one sentence what went wrong, and gives the exit status. Never a stack, unless MODELWIRE_DEBUG asks for it. */
export function tell(error: unknown): Status {
  const commander = commanderStatus(error)
  if (commander !== undefined) return commander
  if (isModelwireError(error) && error.kind === 'cancelled') return 130
  if (error instanceof UsageError) say(error.message, error.hint)
  else if (isModelwireError(error)) tellModelwire(error)
  else tellOther(error)
  if (process.env.MODELWIRE_DEBUG === '1' && error instanceof Error && error.stack !== undefined)
    note(paintNote.dim(safe(error.stack)))
  return error instanceof UsageError ? 2 : 1
}

/** By its name: importing the class would load the whole runtime. */
export function isModelwireError(error: unknown): error is ModelwireError {
  return error instanceof Error && error.name === 'ModelwireError'
}

function tellModelwire(error: ModelwireError): void {
  const { message, where, hint, status, provider, requestId, attempts, kind } = error
  say(
    where === undefined || message.includes(where) ? message : `${near(where)}: ${message}`,
    hint === undefined ? undefined : forShell(hint),
  )
  const details = [
    status === undefined ? kind : `${kind}, HTTP ${status}`,
    ...(provider === undefined ? [] : [provider]),
    ...(requestId === undefined ? [] : [`request ${requestId}`]),
    ...(attempts === undefined || attempts < 2 ? [] : [`${attempts} attempts`]),
  ]
  if (status !== undefined || (attempts ?? 0) > 1) note(paintNote.dim(`  ${safe(details.join(' · '))}`))
}

/** What a hint says of the library's options, in the words of the command. */
function forShell(hint: string): string {
  return hint
    .replace(/or pass providers: \{ "[^"]*": \{ baseUrl \} \}/, 'or pass --base-url')
    .replace(/, or pass providers: \{.*\}$/, '')
}

function tellOther(error: unknown): void {
  const known = error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code)
  const message = error instanceof Error ? error.message : String(error)
  say(message, known ? undefined : 'this looks like a defect of modelwire; MODELWIRE_DEBUG=1 shows where it happened')
}

function say(message: string, hint: string | undefined): void {
  const text = safe(message.length > longest ? `${message.slice(0, longest)}…` : message).replaceAll('\n', '\n  ')
  note(`${paintNote.red('error:')} ${text}`)
  if (hint !== undefined) note(`  ${paintNote.cyan('hint:')} ${safe(hint)}`)
}

/** Help and versions were printed already, and so were the messages of wrong options. */
function commanderStatus(error: unknown): Status | undefined {
  if (!(error instanceof Error) || !('exitCode' in error) || !('code' in error)) return undefined
  const { code, exitCode } = error as CommanderError // of all errors, only its have both
  return code.startsWith('commander.') ? (exitCode === 0 ? 0 : 2) : undefined
}
