import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import { paint, safe } from './terminal.ts'

const bare = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

type Row = (string | number)[]

/**
 * Columns without lines around them. Where a terminal is too narrow, the columns that `spare` names are left out, the
 * first first; a pipe gets all of them.
 */
export function table(head: string[], rows: Row[], spare: string[] = []): string {
  const room = process.stdout.isTTY ? process.stdout.columns : Infinity
  const without = spare.find((title) => head.includes(title))
  if (without !== undefined && widthOf(head, rows) > room) {
    const kept = (row: Row): Row => row.filter((_, column) => head[column] !== without)
    return table(
      head.filter((title) => title !== without),
      rows.map(kept),
      spare,
    )
  }
  const made = new Table({
    head: head.map((title) => paint.dim(title)),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  made.push(...rows)
  const lines = made.toString().split('\n')
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const gap = 2

function widthOf(head: string[], rows: Row[]): number {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => stripVTControlCharacters(String(row[column] ?? '')).length)),
  )
  return widths.reduce((sum, width) => sum + width + gap, -gap)
}

/** A value on one line, cut where it is long. */
export function brief(value: unknown, width = 80): string {
  const text = safe(typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing'))
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
