/** Measures an area that needs no network: each subject in a process of its own, round by round in turn. */
import { start } from './child.ts'
import type { Child } from './child.ts'
import { writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { Missing, SoloArea, SoloLoad, SoloResult } from './results.ts'
import { interleave, rowsOf } from './rounds.ts'
import type { Piece } from './soloist.ts'
import { floor } from './subjects.ts'
import type { Load } from './subjects.ts'
import { soloTable } from './solo-report.ts'
import { missingLines, originLine } from './words.ts'
import type { Report } from './worker.ts'

export async function measureArea(area: SoloArea, loads: Load[]): Promise<void> {
  const known = new Set(loads.flatMap(({ subjects }) => Object.keys(subjects)))
  const options = readOptions({ full: 9, quick: 2 }, [...known])
  const ms = options.quick ? 20 : 250
  const children = new Map<string, Child>()

  function once(load: Load, id: string): Promise<Report> {
    const child = children.get(id) ?? start('soloist.ts', [area, id], ['--expose-gc'])
    children.set(id, child)
    return child.ask<Report>({ load: load.id, ms } satisfies Piece)
  }

  /** Warms every subject up, drops those that can't, then goes round. */
  async function measure(load: Load): Promise<SoloLoad> {
    const missing: Missing[] = []
    const present: string[] = []
    for (const id of Object.keys(load.subjects)) {
      if (id !== floor && options.clients?.includes(id) === false) continue
      const report = await once(load, id)
      if (report.kind === 'cost') present.push(id)
      else if ('reason' in report) missing.push({ client: id, reason: `${report.kind}: ${report.reason}` })
    }
    const measured = await interleave(
      present,
      options.rounds,
      async (id, round) => {
        const report = await once(load, id)
        if (report.kind === 'cost') return report.cpuMicros
        throw new Error(`${id} in round ${round + 1}: ${'reason' in report ? report.reason : report.kind}`)
      },
      (round) => progress(`${load.id}: round ${round + 1} of ${options.rounds}`),
    )
    progress('')
    return { id: load.id, title: load.title, rows: rowsOf(measured, floor), missing }
  }

  try {
    const result: SoloResult = { ...origin(), rounds: options.rounds, loads: [] }
    for (const load of loads) result.loads.push(await measure(load))
    const missing = result.loads.flatMap((load) => load.missing)
    console.log([`\n${soloTable[area](result)}`, ...missingLines(missing), '', originLine(result)].join('\n'))
    if (options.results) saveResult(area, result, options.results)
    if (options.results && options.docs) writeReport(options.results, options.docs)
    if (missing.some(({ reason }) => reason.startsWith('failed'))) process.exitCode = 1
  } finally {
    await Promise.all([...children.values()].map((child) => child.stop()))
  }
}
