import { Command } from 'commander'
import { benchCommand } from './bench.ts'
import { chatCommand } from './chat.ts'
import { embedCommand } from './embed.ts'
import { explainCommand } from './explain.ts'
import { type Status, tell } from './failure.ts'
import { inferCommand } from './infer.ts'
import { modelsCommand } from './models.ts'
import { newCommand } from './new.ts'
import { providersCommand } from './providers.ts'
import { servicesCommand } from './services.ts'
import { note, out, paint, paintNote, surviveClosedPipes } from './terminal.ts'
import { tasksCommand } from './tasks.ts'
import { testCommand } from './test.ts'
import { validateCommand } from './validate.ts'
import { version } from './version.ts'

const about = 'Calls any AI model. How a provider behaves is one YAML manifest.'

const examples = `
Begin:
  modelwire providers                                 who can be called, and which key each needs
  modelwire chat -m provider/model "Hello"            ask once; the answer comes as it is written
  modelwire chat -m provider/model                    a conversation
  cat notes.txt | modelwire chat -m provider/model "Summarise this"

Write a manifest of your own:
  modelwire new acme --extends dialect --base https://api.acme.example/v1
  modelwire validate acme.yaml
  modelwire explain -m acme/model --protocols acme.yaml "Hello"

Keys are read from the environment only. MODELWIRE_MODEL names the model when -m doesn't, MODELWIRE_PROTOCOLS more
folders of manifests. Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`

/** Runs one command line, and gives its exit status. */
export async function run(args: string[]): Promise<Status> {
  surviveClosedPipes()
  let status: Status = 0
  const program = createProgram((made) => (status = made))
  try {
    if (args.length === 0) out(program.helpInformation() + examples + '\n')
    else await program.parseAsync(args, { from: 'user' })
    return status
  } catch (error) {
    return tell(error)
  }
}

/** What a command needs of the program around it. */
export type Done = (status: Status) => void

function createProgram(done: Done): Command {
  const program = new Command('modelwire')
  program
    .description(about)
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .version(version(), '--version', 'show the version')
    .exitOverride()
    .configureHelp({ showGlobalOptions: false, styleTitle: (text) => paint.bold(text) })
    .configureOutput({ outputError: tellUsage })
    .addHelpText('after', examples)
  for (const add of [
    chatCommand,
    embedCommand,
    inferCommand,
    tasksCommand,
    benchCommand,
    explainCommand,
    validateCommand,
    testCommand,
    newCommand,
    providersCommand,
    modelsCommand,
    servicesCommand,
  ])
    add(program, done)
  return program
}

/** Commander's own sentences in our form. */
function tellUsage(text: string): void {
  const [message = '', ...rest] = text.trim().split('\n')
  const meant = /^\(Did you mean (.+)\?\)$/.exec(rest.join(' '))?.[1]
  note(message.replace(/^error:/, paintNote.red('error:')))
  const hint =
    meant === undefined
      ? '`modelwire --help` shows the commands, `modelwire <command> --help` its options'
      : `did you mean ${meant}?`
  note(`  ${paintNote.cyan('hint:')} ${hint}`)
}
