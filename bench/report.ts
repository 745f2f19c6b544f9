/** Turns results into words: the tables on the terminal, `docs/performance.md` and its pictures. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { chart } from './chart.ts'
import { titleOf } from './clients.ts'
import { profileSection } from './profile-report.ts'
import { loadResult } from './results.ts'
import type {
  ColdStartResult,
  ConcurrencyResult,
  LocalResult,
  MemoryResult,
  ShapesResult,
  StreamLoad,
  StreamResult,
} from './results.ts'
import { figures } from './statistics.ts'
import { drawRequests, soloSection } from './solo-report.ts'
import { table } from './table.ts'
import { kilobytes, megabytes, milliseconds, missingLines, originLine, panel, section } from './words.ts'

export function streamTable(load: StreamLoad): string {
  const rows = load.rows.map((row) => [
    titleOf(row.client),
    figures(row.micros),
    `${figures(row.low)}–${figures(row.high)}`,
    row.ratio.toFixed(2),
  ])
  return table(['client', `CPU µs / ${load.unit}`, 'quartiles', 'ratio'], rows)
}

export function concurrencyTable({ loads }: ConcurrencyResult): string {
  const rows = loads.flatMap((load) =>
    load.rows.map((row) => [
      titleOf(row.client),
      load.streams.toLocaleString('en'),
      figures(row.micros),
      `${figures(row.low)}–${figures(row.high)}`,
      row.ratio.toFixed(2),
      row.rssPerStream === null ? '–' : kilobytes(row.rssPerStream),
    ]),
  )
  return table(['client', 'streams', 'CPU µs / event', 'quartiles', 'ratio', 'RSS KB / stream'], rows)
}

export function slowTable({ slow }: ConcurrencyResult): string {
  return table(
    ['client', 'others alone ms', 'beside a slow one ms', 'ratio', 'MB sent to the slow one'],
    slow.map((row) => [
      titleOf(row.client),
      figures(row.aloneMs),
      figures(row.besideMs),
      row.ratio.toFixed(2),
      megabytes(row.sent),
    ]),
  )
}

export function shapesTable({ rows }: ShapesResult): string {
  return table(
    ['dialect', 'recordings', 'frames', 'known by shape', 'all parsed µs', 'learnt µs', 'speed-up'],
    rows.map((row) => [
      row.dialect,
      String(row.recordings),
      row.frames.toLocaleString('en'),
      `${(row.hitRate * 100).toFixed(1)} %`,
      figures(row.parsedMicros),
      figures(row.learntMicros),
      `${row.speedUp.toFixed(2)} ×`,
    ]),
  )
}

export function openTable(result: MemoryResult): string {
  const rows = result.open.map((row) => [titleOf(row.client), kilobytes(row.rssPerStream), kilobytes(row.heapPerStream)])
  return table(['client', 'RSS KB / stream', 'live heap KB / stream'], rows)
}

export function growthTable(result: MemoryResult): string {
  const rows = result.growth.map((row) => {
    const [first, last] = [row.steps[0], row.steps.at(-1)]
    return [
      titleOf(row.client),
      ...[first, last].flatMap((step) => (step ? [megabytes(step.heapUsed), megabytes(step.rss)] : ['–', '–'])),
      `${row.heapPerStream.toFixed(1)} B`,
    ]
  })
  const steps = result.growth[0]?.steps ?? []
  const at = (step: { streams: number } | undefined) => `${((step?.streams ?? 0) / 1000).toFixed(0)}k`
  const [from, to] = [at(steps[0]), at(steps.at(-1))]
  return table(
    ['client', `heap MB at ${from}`, `RSS MB at ${from}`, `heap MB at ${to}`, `RSS MB at ${to}`, 'heap growth / stream'],
    rows,
  )
}

export function coldTable(result: ColdStartResult): string {
  return table(
    ['over bare Node', 'ms', 'CPU ms'],
    result.rows.map((row) => [row.what, milliseconds(row.wallMs), milliseconds(row.cpuMs)]),
  )
}

export function localTable(result: LocalResult): string {
  return table(
    [
      'on',
      'binding tok/s',
      'Modelwire tok/s',
      'ratio',
      'first text ms',
      'later by ms',
      'four at once tok/s',
      'of one',
      'CPU µs a token',
      'four at once',
      'main thread',
    ],
    result.rows.map((row) => [
      row.device,
      figures(row.direct),
      figures(row.modelwire),
      row.ratio.toFixed(2),
      milliseconds(row.modelwireFirstMs),
      row.laterMs.toFixed(2),
      figures(row.four),
      `${row.fourRatio.toFixed(2)} ×`,
      figures(row.oneMicros),
      figures(row.fourMicros),
      figures(row.fourMainMicros),
    ]),
  )
}

export function providerSentence(result: ColdStartResult): string | undefined {
  if (result.firstProviderMs === undefined || result.secondProviderMs === undefined) return undefined
  const spent = result.firstProviderCpuMs === undefined ? '' : ` (${milliseconds(result.firstProviderCpuMs)} of CPU)`
  return `The first request to a provider, up to the call that would be sent (\`explain\`), takes ${milliseconds(result.firstProviderMs)} ms${spent}: its manifests, as the build has resolved them, are read and compiled. A second provider takes ${milliseconds(result.secondProviderMs)} ms.`
}

function drawStreams(result: StreamResult): string {
  const panels = result.loads.map((load) => panel(`${load.title}: CPU µs per ${load.unit}`, load.rows))
  return chart('CPU time of streaming clients', panels)
}

function drawConcurrency(result: ConcurrencyResult): string {
  const panels = result.loads.map(({ streams, rows }) =>
    panel(`${streams.toLocaleString('en')} ${streams === 1 ? 'stream' : 'streams at once'}: CPU µs per event`, rows),
  )
  return chart('CPU time of an event, by streams at once', panels)
}

function streamSection(result: StreamResult): string[] {
  return [
    '## Streams',
    '![CPU time of each client, in bars](bench-stream.svg)',
    `What a client costs: CPU microseconds of its whole process, garbage collection and compiler threads included. Each client runs in a process of its own, the upstream in another; the rounds go round-robin over the clients, after all ran beside each other for 25 seconds or 40 rounds, so that V8 has compiled what it will, and each has a round that isn't counted right before each of its own. The clients wait for each other, which they wouldn't at work, so V8's memory reducer is off in all of them: it shrinks the heap of a process that waits, and throws code away (\`npm run bench:idle\` shows what that costs). What starting costs is measured below. Medians of ${result.rounds} rounds; the ratio is to the loop by hand (\`undici.request\`, line split, \`JSON.parse\`) within the same round. Every answer is checked: the whole text, a tool call, whose arguments come in pieces where a wire sends them so, the token counts. Gemini's events hold some 20 tokens each and the counts so far, as it really sends them; those of the other wires hold one. [bench/README.md](../bench/README.md#who-is-measured-and-how) says which of its streams each client is measured by, and which wires it has none for.`,
    ...result.loads.flatMap((load) => [`### ${load.title}`, streamTable(load), ...section(missingLines(load.missing))]),
    originLine(result),
    'Again: `npm run bench:install`, then `npm run bench:stream`.',
  ]
}

function concurrencySection(result: ConcurrencyResult): string[] {
  return [
    '## Many at once',
    '![CPU time of an event, in bars](bench-concurrency.svg)',
    `Streams that are all open, and then go on together: one event a write, each stream at most 100 a second, all together at most 10,000. One stream and 100 have 400 events each; 1,000 and 5,000 have 40, so that what Modelwire learns of a stream's shape serves fewer events there. CPU of the whole process from then up to their last events, so that neither the beginning nor the end of a stream is in it; RSS while they are open, after a forced garbage collection. A fresh process for each measurement, rounds in turn; medians of ${result.rounds} rounds, ratios within the same round, every answer checked.`,
    concurrencyTable(result),
    'A slow consumer: one stream without an end whose reader takes 25 ms for each event, and beside it 40 streams of 2,000 events as fast as they go, 5 at once. What was sent to the slow one is mostly in the buffers of the operating system.',
    slowTable(result),
    ...section(missingLines(result.missing)),
    originLine(result),
    'Again: `npm run bench:concurrency`.',
  ]
}

function shapesSection(result: ShapesResult): string[] {
  return [
    '## Shapes of frames',
    `Consecutive events of a stream mostly differ in one or two values, so Modelwire learns their shape and takes the values of later ones out of the bytes without parsing them. How often that can be done was counted over recorded traffic of real providers: every stream of events or of lines that has a manifest, by its dialect, from bytes in pieces of 16 KB to events. What it saves is CPU for a frame, with learning and without, in one process, round by round in turn; medians of ${result.rounds} rounds, the speed-up within the same round. Below 1, learning has cost more than it saved. The recordings are as they are: most have a few dozen frames, and a short one pays for learning (its first frames are parsed, compared and probed) without getting it back. What long streams gain is under Streams above.`,
    shapesTable(result),
    originLine(result),
    'Again: `npm run bench:shapes`; it needs the recordings beside the project.',
  ]
}

function memorySection(result: MemoryResult): string[] {
  return [
    '## Memory',
    `${result.streams} streams that have begun to answer and then fall silent, in one process, after a forced garbage collection. RSS is what the operating system sees, sockets and buffers included. Medians of ${result.rounds} processes.`,
    openTable(result),
    'Many short streams (40 events each), one after the other, 50 at once; heap and RSS after a forced garbage collection. The growth is the slope over the later half.',
    growthTable(result),
    ...section(missingLines(result.missing)),
    originLine(result),
    'Again: `npm run bench:memory`.',
  ]
}

/** By `node --log-function-events --logfile …` and `node --trace-gc`; it tells why the aim of 8 ms is missed where it is. */
const firstProfile =
  'Where the first one goes: half of it is V8, which compiles some 200 of our functions at their first call (4 to 5 ms), and its first garbage collection falls there (1 ms); reading what the build resolved, and comparing it with the files, takes 1 ms, the rest is compiling the manifest and writing the call. With that done, one more provider of the same wire takes 2 ms.'

function coldSection(result: ColdStartResult): string[] {
  return [
    '## Cold start',
    `Milliseconds from the start of the process until the client is ready for its first call, minus the ${milliseconds(result.bare.wallMs)} ms of bare Node. Medians of ${result.rounds} processes each, in turn. Where others work on the same machine, the clock counts their time too; the CPU column doesn't.`,
    coldTable(result),
    ...section([providerSentence(result) ?? '']),
    ...section(result.firstProviderMs === undefined ? [] : [firstProfile]),
    ...section(missingLines(result.missing)),
    originLine(result),
    'Again: `npm run bench:cold-start`.',
  ]
}

function localSection(result: LocalResult): string[] {
  return [
    '## Models in this process',
    `What Modelwire adds to llama.cpp: node-llama-cpp's \`LlamaChat\` called by hand, and the same model, prompt and settings through Modelwire, in one process, round by round in turn (${result.model}; medians of ${result.rounds} rounds). A model as small as this makes what is added look as large as it can. Four answers at once have a context each: a token costs nearly as much CPU as with one alone, so two cores bound them to about twice its speed; llama.cpp itself, on one core, reads four tokens of so small a model at once no more than 1.2 times as fast as one (\`llama-bench -t 1 -p 1,4\` with Pocket). With more cores the main thread is the bound, whose part of a token stands in the last column.`,
    localTable(result),
    ...section([result.withoutGpu ?? '']),
    originLine(result),
    'Again: `npm run bench:local`.',
  ]
}

/** Writes the page anew from all results that there are, with the pictures beside it. */
export function writeReport(results: string, docs: string): void {
  const stream = loadResult('stream', results)
  const solo = (['request', 'template', 'path'] as const).flatMap((area) => {
    const result = loadResult(area, results)
    return result ? soloSection(area, result) : []
  })
  const request = loadResult('request', results)
  const concurrency = loadResult('concurrency', results)
  const shapes = loadResult('shapes', results)
  const profile = loadResult('profile', results)
  const memory = loadResult('memory', results)
  const cold = loadResult('cold-start', results)
  const local = loadResult('local', results)
  const page = [
    '# Performance',
    '<!-- Generated by bench/report.ts from bench/results. Change those, not this page. -->',
    ...(stream ? streamSection(stream) : []),
    ...(concurrency ? concurrencySection(concurrency) : []),
    ...(shapes ? shapesSection(shapes) : []),
    ...solo,
    ...(profile ? profileSection(profile) : []),
    ...(memory ? memorySection(memory) : []),
    ...(cold ? coldSection(cold) : []),
    ...(local ? localSection(local) : []),
  ]
  mkdirSync(docs, { recursive: true })
  writeFileSync(`${docs}/performance.md`, `${page.join('\n\n')}\n`)
  if (stream) writeFileSync(`${docs}/bench-stream.svg`, drawStreams(stream))
  if (concurrency) writeFileSync(`${docs}/bench-concurrency.svg`, drawConcurrency(concurrency))
  if (request) writeFileSync(`${docs}/bench-request.svg`, drawRequests(request))
}
