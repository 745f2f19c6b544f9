/** What all tables and sections of the page are made with. */
import { titleOf } from './clients.ts'
import type { Panel } from './chart.ts'
import type { Missing, Origin, StreamRow } from './results.ts'
import { figures } from './statistics.ts'

export const kilobytes = (bytes: number) => figures(bytes / 1024)
export const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)
export const milliseconds = (value: number) => value.toFixed(1)

export function missingLines(missing: Missing[]): string[] {
  return missing.map(({ client, reason }) => `- ${titleOf(client)}: ${reason}`)
}

export function originLine({ when, machine, versions }: Origin): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${when}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}. ${packages.join(', ')}.`
}

/** A bar for each row. */
export function panel(title: string, rows: StreamRow[], name = titleOf): Panel {
  const bars = rows.map((row) => ({
    label: name(row.client),
    value: row.micros,
    note: `${figures(row.micros)} µs · ${row.ratio.toFixed(2)} ×`,
    emphasis: row.client === 'modelwire',
  }))
  return { title, bars }
}

/** Lines of a section, unless there are none. */
export const section = (lines: string[]) => (lines.some(Boolean) ? [lines.join('\n')] : [])
