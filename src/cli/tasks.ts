import type { Command } from 'commander'
import { type Status, tell } from './failure.ts'
import { openRuntime, protocolsOption, type SessionFlags } from './session.ts'
import { out, toJson } from './terminal.ts'

export function tasksCommand(program: Command, done: (status: Status) => void): void {
  protocolsOption(program.command('tasks').description('list the structured tasks with what they take'))
    .option('--json', 'print them with their schemas')
    .action(async (flags: SessionFlags & { json?: boolean }) => done(await tasks(flags)))
}

async function tasks(flags: SessionFlags & { json?: boolean }): Promise<Status> {
  const mw = await openRuntime(flags)
  try {
    const kinds = mw.taskKinds()
    if (flags.json === true) out(`${toJson(kinds)}\n`)
    else {
      const { table } = await import('./table.ts')
      out(
        `${table(
          ['task', 'takes', 'what it does'],
          kinds.map((kind) => [kind.id, takes(kind.input), kind.docs ?? '']),
        )}\n`,
      )
    }
    return 0
  } catch (error) {
    return tell(error)
  } finally {
    await mw.close()
  }
}

/** The fields of the input; those that may be left out with a question mark. */
function takes({ properties, required }: Record<string, unknown>): string {
  const needed = Array.isArray(required) ? required.map(String) : []
  return Object.keys(properties ?? {})
    .map((name) => (needed.includes(name) ? name : `${name}?`))
    .join(', ')
}
