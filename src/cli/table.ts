import Table from 'cli-table3'
import { paint, safe } from './terminal.ts'

const bare = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '',
  bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
  left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
}

/** Columns without lines around them. Cells are shown whole: what cuts them is the reader's business. */
export function table(head: string[], rows: (string | number)[][]): string {
  const made = new Table({
    head: head.map((title) => paint.dim(title)),
    chars: bare,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  made.push(...rows)
  return `${made.toString().split('\n').map((line) => line.trimEnd()).join('\n')}\n`
}

/** A value on one line, cut where it is long. */
export function brief(value: unknown, width = 80): string {
  const text = safe(typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing'))
  return text.length > width ? `${text.slice(0, width - 1)}…` : text
}
