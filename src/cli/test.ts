import { existsSync, statSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import type { Replayed, ReplayOptions, Runtime } from '../index.ts'
import { didYouMean } from '../manifest/suggest.ts'
import { type Actual, actualOf, type Difference, differences, type Expected } from './compare.ts'
import { isModelwireError, type Status } from './failure.ts'
import { type Found, readRecordings, readRoutes, type Recording, type Route, routeOf } from './recordings.ts'
import { openRuntime, protocolsOption } from './session.ts'
import { note, out, outJson, paint, paintNote, safe } from './terminal.ts'
import { UsageError } from './usage.ts'

interface TestFlags {
  recordings?: string
  map?: string
  protocols?: string[]
  cut?: number | 'every'
  json?: boolean
  verbose?: boolean
}

const examples = `
Examples:
  modelwire test --recordings ./recordings               all exchanges, each by the manifest that reads it
  modelwire test acme --recordings ./recordings          those of one manifest
  modelwire test --recordings ./recordings --cut every   the same events wherever the body is cut?
  modelwire test --recordings ./recordings --json | jq -c 'select(.ok | not)'

An exchange is a JSON file { id, request, response: { status, headers, bodyText | bodyBase64 }, expected }. Which manifest
reads it says the exchange itself ({ use, operation, wire }) or a mapping: recordings.yaml beside the exchanges, or
./test/recordings.yaml, a list of rows such as { api: acme.chat, use: acme, operation: chat }. The first that fits wins.`

export function testCommand(program: Command, done: (status: Status) => void): void {
  const command = program
    .command('test')
    .description('replay recorded exchanges against manifests')
    .argument('[id...]', 'the manifests to try; all when absent')
  command
    .option('--recordings <folder>', 'where the exchanges are (./recordings, or ./test/fixtures)')
    .option('--map <file>', 'which manifest reads which exchange')
    .option('--cut <n|every>', 'bytes a piece; every: cut at every byte, and compare the events', cutOf)
    .option('--json', 'print a line an exchange: { id, ok, expected, actual, differences }')
    .option('-v, --verbose', 'tell what was left out, too')
  protocolsOption(command)
    .addHelpText('after', examples)
    .action(async (ids: string[], flags: TestFlags) => done(await test(ids, flags)))
}

function cutOf(text: string): number | 'every' {
  const count = Number(text)
  if (text === 'every' || (Number.isInteger(count) && count > 0)) return text === 'every' ? text : count
  throw new InvalidArgumentError('It should be a number of bytes, or every.')
}

interface Verdict {
  id: string
  use: string
  ok: boolean
  expected: Expected | null
  actual: Actual | null
  differences: Difference[]
}

async function test(ids: string[], flags: TestFlags): Promise<Status> {
  const folder = folderOf(flags.recordings)
  const routes = await readRoutes(folder, flags.map)
  const mw = await openRuntime(flags.protocols === undefined ? {} : { protocols: flags.protocols })
  try {
    checkIds(ids, mw)
    const verdicts: Verdict[] = []
    let skipped = 0
    for (const found of readRecordings(folder)) {
      const verdict = judge(found, routes, ids, mw, flags.cut)
      if (verdict === 'unread') skipped++
      if (verdict === 'unread' && flags.verbose === true) note(paintNote.dim(`skipped: ${safe(found.file)}`))
      if (typeof verdict === 'string') continue
      verdicts.push(verdict)
      if (flags.json === true) outJson(lineOf(verdict))
    }
    if (verdicts.length === 0)
      throw new UsageError(
        `no exchange of ${folder} is read by ${ids.length === 0 ? 'any manifest' : ids.join(', ')}`,
        'a mapping or the field `use` says which manifest reads which; see `modelwire test --help`',
      )
    if (flags.json !== true) await show(verdicts)
    tellSum(verdicts, skipped)
    return verdicts.every(({ ok }) => ok) ? 0 : 1
  } finally {
    await mw.close()
  }
}

function folderOf(named: string | undefined): string {
  const folder = named ?? ['recordings', 'test/fixtures'].find((path) => existsSync(path))
  if (folder === undefined) throw new UsageError('no recordings were named', 'pass --recordings folder')
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder
  throw new UsageError(`expected a folder of recordings, got ${folder}, which ${existsSync(folder) ? 'is none' : "doesn't exist"}`)
}

function checkIds(ids: string[], mw: Runtime): void {
  const known = mw.providers().map(({ id }) => id)
  const wrong = ids.find((id) => !known.includes(id))
  if (wrong !== undefined)
    throw new UsageError(
      `expected the id of a manifest, got "${wrong}"${didYouMean(wrong, known)}`,
      '`modelwire providers` lists them',
    )
}

// ---- one exchange ------------------------------------------------------------------------------------------------

/** `unread`: no row fits. `other`: a manifest reads it that wasn't asked for. */
function judge(found: Found, routes: Route[], ids: string[], mw: Runtime, cut: TestFlags['cut']): Verdict | 'unread' | 'other' {
  const { recording, file, problem } = found
  if (recording === undefined) {
    return {
      id: file,
      use: '',
      ok: false,
      expected: null,
      actual: null,
      differences: [{ field: 'file', expected: 'an exchange', actual: problem ?? '' }],
    }
  }
  const route = routeOf(recording, routes)
  if (route === undefined) return 'unread'
  if (ids.length > 0 && !ids.includes(route.use)) return 'other'
  const told = replay(mw, recording, route, typeof cut === 'number' ? cut : undefined)
  const wrong = [...compare(recording, told), ...(cut === 'every' ? cutDifferences(mw, recording, route, told) : [])]
  return {
    id: recording.id,
    use: route.use,
    ok: wrong.length === 0,
    expected: recording.expected ?? null,
    actual: told.actual,
    differences: wrong,
  }
}

interface Told {
  actual: Actual
  /** Events and ending, for comparison. */
  trace: string
  /** A failure that isn't the reply's, but ours. */
  defect?: string
}

function replay(mw: Runtime, recording: Recording, { use, operation, wire }: Route, cut: ReplayOptions['cut']): Told {
  const options: ReplayOptions = {
    provider: use,
    ...(operation === undefined ? {} : { operation }),
    ...(wire === undefined ? {} : { wire }),
    ...(cut === undefined ? {} : { cut }),
  }
  try {
    const replayed: Replayed = mw.replay(recording, options)
    return { actual: actualOf({ replayed }), trace: traceOf(replayed.events) }
  } catch (error) {
    if (!isModelwireError(error)) return { actual: {}, trace: '', defect: String(error) } // the other exchanges go on
    const { timing: _, ...partial } = error.partial ?? { timing: undefined }
    return { actual: actualOf({ error }), trace: traceOf([error.kind, error.message, partial]) }
  }
}

/** Ids that were made up differ each time: they are numbered. */
function traceOf(value: unknown): string {
  const ids = new Map<string, string>()
  return JSON.stringify(value).replaceAll(/call_[0-9a-f]{24}/g, (id) => {
    const known = ids.get(id) ?? `made up ${ids.size}`
    ids.set(id, known)
    return known
  })
}

function compare({ expected }: Recording, { actual, defect }: Told): Difference[] {
  if (defect !== undefined) return [{ field: 'defect', expected: null, actual: defect }]
  if (expected !== undefined) return differences(expected, actual)
  // Nobody said what it should say: it should be readable.
  return actual.error === undefined || actual.error.status !== undefined
    ? []
    : [{ field: 'error', expected: null, actual: actual.error }]
}

/** So many places of a long body are tried. */
const mostCuts = 400

/** In pieces of one byte, and in two at every place. */
function cutDifferences(mw: Runtime, recording: Recording, route: Route, whole: Told): Difference[] {
  const { bodyText, bodyBase64 } = recording.response
  const size = bodyBase64 === undefined ? Buffer.byteLength(bodyText ?? '') : Buffer.from(bodyBase64, 'base64').length
  const step = Math.max(1, Math.ceil(size / mostCuts))
  const places = Array.from({ length: Math.max(0, Math.ceil(size / step) - 1) }, (_, index) => (index + 1) * step)
  const cuts: ReplayOptions['cut'][] = [1, ...places.map((place) => [place])]
  const wrong = cuts.find((cut) => replay(mw, recording, route, cut).trace !== whole.trace)
  if (wrong === undefined) return []
  return [
    {
      field: `events, cut at ${Array.isArray(wrong) ? `byte ${wrong[0]}` : 'every byte'}`,
      expected: whole.trace,
      actual: replay(mw, recording, route, wrong).trace,
    },
  ]
}

// ---- the report --------------------------------------------------------------------------------------------------

function lineOf({ id, ok, expected, actual, differences: found }: Verdict): Omit<Verdict, 'use'> {
  return { id, ok, expected, actual, differences: found }
}

async function show(verdicts: Verdict[]): Promise<void> {
  const { brief, table } = await import('./table.ts')
  const uses = [...new Set(verdicts.map(({ use }) => use))].sort()
  const rows = uses.map((use) => {
    const own = verdicts.filter((verdict) => verdict.use === use)
    const right = own.filter(({ ok }) => ok).length
    const wrong = own.length - right
    return [use === '' ? '(unreadable)' : safe(use), right, wrong === 0 ? paint.dim('0') : paint.red(String(wrong)), own.length]
  })
  for (const { id, use, ok, differences: found } of verdicts) {
    if (ok) continue
    out(`${paint.red('differs')} ${safe(id)} ${paint.dim(safe(use))}\n`)
    for (const { field, expected, actual } of found)
      out(`  ${safe(field)}\n    expected ${brief(expected, 400)}\n    got      ${brief(actual, 400)}\n`)
  }
  if (verdicts.some(({ ok }) => !ok)) out('\n')
  out(table(['manifest', 'same', 'differ', 'exchanges'], rows))
}

function tellSum(verdicts: Verdict[], skipped: number): void {
  const right = verdicts.filter(({ ok }) => ok).length
  const share = right === verdicts.length ? paintNote.green('all the same') : paintNote.red(`${verdicts.length - right} differ`)
  note(
    `${right} of ${verdicts.length} exchanges: ${share}${skipped === 0 ? '' : `; ${skipped} skipped: no row says who reads them`}`,
  )
}
