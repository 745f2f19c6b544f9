/** Tables and sections of the areas that need no network. */
import { chart } from './chart.ts'
import { titleOf } from './clients.ts'
import type { SoloArea, SoloLoad, SoloResult } from './results.ts'
import { figures } from './statistics.ts'
import { floor } from './subjects.ts'
import { table } from './table.ts'
import { missingLines, originLine, panel, section } from './words.ts'

const micros = (load: SoloLoad, id: string) => load.rows.find(({ client }) => client === id)?.micros ?? NaN
const ratio = (load: SoloLoad, id: string) => {
  const row = load.rows.find(({ client }) => client === id)
  return row === undefined ? '–' : row.ratio.toFixed(2)
}

const requestTitles: Record<string, string> = { [floor]: 'JSON.stringify, as bytes', mapped: 'mapped, JSON.stringify, as bytes' }
const requestTitle = (id: string) => requestTitles[id] ?? titleOf(id)

export function drawRequests({ loads }: SoloResult): string {
  const panels = loads.map((load) => panel(`${load.title}: CPU µs per request`, load.rows, requestTitle))
  return chart('CPU time of building a request', panels)
}

function requestTable({ loads }: SoloResult): string {
  const one = (load: SoloLoad) =>
    table(
      [load.title, 'CPU µs / request', 'quartiles', 'ratio'],
      load.rows.map((row) => [
        requestTitle(row.client),
        figures(row.micros),
        `${figures(row.low)}–${figures(row.high)}`,
        row.ratio.toFixed(2),
      ]),
    )
  return loads.map(one).join('\n\n')
}

function templateTable({ loads }: SoloResult): string {
  return table(
    ['dialect', 'YAML to manifest ms', 'compile ms', 'JSON.stringify µs', 'from the templates µs', 'ratio'],
    loads.map((load) => [
      load.title,
      figures(micros(load, 'load') / 1000),
      figures(micros(load, 'compile') / 1000),
      figures(micros(load, floor)),
      figures(micros(load, 'modelwire')),
      ratio(load, 'modelwire'),
    ]),
  )
}

function pathTable({ loads }: SoloResult): string {
  return table(
    ['path', 'plain code ns', 'Modelwire ns', 'ratio', 'jsonpath-plus ns', 'ratio'],
    loads.map((load) => [
      `\`${load.title}\``,
      figures(micros(load, floor) * 1000),
      figures(micros(load, 'modelwire') * 1000),
      ratio(load, 'modelwire'),
      figures(micros(load, 'jsonpath-plus') * 1000),
      ratio(load, 'jsonpath-plus'),
    ]),
  )
}

export const soloTable: Record<SoloArea, (result: SoloResult) => string> = {
  request: requestTable,
  template: templateTable,
  path: pathTable,
}

/** Of areas that need no network: what is compared, in one paragraph. */
const soloWords: Record<SoloArea, { title: string; words: string }> = {
  request: {
    title: 'Requests',
    words:
      'What it costs to build a streamed request, up to the bytes of its body and its headers: a conversation of 20 messages. The floor is `Buffer.from(JSON.stringify(body))` of a body that is there already, in the words of the wire; who keeps a conversation in a form of his own has to map it first, as Modelwire does. The SDKs take the body as it is, and are measured where they build the request (`buildRequest`). A conversation is sent again with each turn, so the same is built again and again; in the last table of a wire all texts but the system prompt are new each time, which Modelwire then can’t write from memory. Every body is compared with the one by hand.',
  },
  template: {
    title: 'Templates',
    words:
      'What the templates of each dialect cost. Once: a manifest is read from YAML with those that it extends (the package brings the bundled ones along parsed), and its chat operation is compiled. For each request: the body is written as JSON, as bytes, beside `Buffer.from(JSON.stringify(body))` of the finished body. A conversation of 20 messages with 6 tools, 4 calls and their results; every body is searched for all of it.',
  },
  path: {
    title: 'Paths',
    words:
      'What it costs to look one path up in a parsed frame: as plain code with `?.`, compiled by Modelwire, and by jsonpath-plus with its safe evaluation and its own cache of paths. The third path finds nothing. Every value is compared with that of the plain code.',
  },
}

export function soloSection(area: SoloArea, result: SoloResult): string[] {
  const { title, words } = soloWords[area]
  return [
    `## ${title}`,
    ...section([area === 'request' ? '![CPU time of building a request, in bars](bench-request.svg)' : '']),
    `${words} CPU of a process each, round by round in turn; medians of ${result.rounds} rounds, ratios within the same round.`,
    soloTable[area](result),
    ...section(missingLines(result.loads.flatMap((load) => load.missing))),
    originLine(result),
    `Again: \`npm run bench:${area}\`.`,
  ]
}
