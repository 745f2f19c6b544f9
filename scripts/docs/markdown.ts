/** Puts `content` between `<!-- generated: name -->` and its end; what stands around them stays. */
export function fill(text: string, name: string, content: string, page: string): string {
  const [open, close] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`docs/${page} lacks the markers ${open} and ${close}`)
  return `${text.slice(0, from + open.length)}\n\n${content}\n\n${text.slice(to)}`
}

/** A table whose columns are as wide as the formatter makes them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')))
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [first = [], ...others] = all
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others.map(line)].join('\n')
}

export function code(text: string): string {
  return `\`${text}\``
}
