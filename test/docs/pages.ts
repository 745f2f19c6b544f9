import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** A fenced block: its language, the words behind that, and what it holds. */
export interface Block {
  page: string
  line: number
  language: string
  words: string[]
  text: string
}

export interface Page {
  name: string
  text: string
  blocks: Block[]
}

/** Written by `bench/`, when it is run. */
export const measured = 'docs/performance.md'

/** README and docs. */
export const pages: Page[] = [
  'README.md',
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`)
    .filter((name) => name !== measured),
].map((name) => {
  const text = readFileSync(root + name, 'utf8')
  return { name, text, blocks: blocksOf(name, text) }
})

function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```$/gm)].map((found) => {
    const [, language = '', words = '', inner = ''] = found
    const line = text.slice(0, found.index).split('\n').length
    return {
      page,
      line,
      language,
      words: words
        .trim()
        .split(/\s+/)
        .filter((word) => word !== ''),
      text: inner,
    }
  })
}

export function titleOf({ page, line, language, words }: Block): string {
  return [`${page}:${line}`, language, ...words].join(' ')
}

/** The rows of the tables whose head has these columns; each cell as its code says it. */
export function rowsOf({ text }: Page, columns: readonly string[]): { line: number; cells: string[] }[] {
  const all = text.split('\n')
  const found: { line: number; cells: string[] }[] = []
  for (const [index, line] of all.entries()) {
    if (cellsOf(line).join('|') !== columns.join('|')) continue
    for (let at = index + 2; all[at]?.startsWith('|') === true; at++) found.push({ line: at + 1, cells: cellsOf(all[at] ?? '') })
  }
  return found
}

function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return []
  const cells = line
    .slice(1)
    .split(/(?<!\\)\|/)
    .slice(0, -1)
  return cells.map((cell) =>
    cell
      .trim()
      .replaceAll('\\|', '|')
      .replace(/^`+ ?(.*?) ?`+$/s, '$1'),
  )
}

/** Where the headings of a page can be linked to, as GitHub makes them. */
export function anchorsOf({ text }: Page): string[] {
  const plain = text.replace(/^```[\s\S]*?^```$/gm, '')
  return [...plain.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
