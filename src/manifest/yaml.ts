import { createRequire } from 'node:module'
import type { CST, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { mistake, quote } from './mistake.ts'
import { setPosition, type Position } from './position.ts'

const require = createRequire(import.meta.url)

type Yaml = typeof import('yaml')
type Locate = (offset: number) => Position

/** Maps and lists within each other; the deepest manifest we know has fourteen. */
const deepest = 32

/** Lexemes; they, not bytes, are what parsing costs: 5 µs each. A manifest of 4 KB has 1,500. */
const most = 50_000

/** Own properties only is the rule of the language; these names are refused so that nobody has to rely on it. */
const forbidden = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype'])

/**
 * The data of one YAML document that must be a map, with the position of every entry beside it. The subset of YAML 1.2 in
 * which nothing has two readings: no aliases, tags, merge or double keys, no text that looks like another type.
 */
export function readYaml(text: string, file: string): Record<string, unknown> {
  const yaml: Yaml = require('yaml') // 20 ms, and bundled manifests don't need it: they come from snapshots
  const lines = new yaml.LineCounter()
  lines.addNewLine(0)
  const locate: Locate = (offset) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const root = parse(yaml, text, lines, locate)?.contents
  if (!root || !yaml.isMap(root)) {
    throw mistake(`expected a map of keys, got ${root ? 'something else' : 'nothing'}`, locate(0), 'Begin with "id: …".')
  }
  return readMap(root, { yaml, locate }, 1)
}

/**
 * Lexer, parser and composer are driven by hand so that the guard sees every lexeme first: nesting would end the
 * recursion in the composer, and a hundred thousand mistakes would take it seconds to word.
 */
function parse(yaml: Yaml, text: string, lines: LineCounter, locate: Locate): Document | undefined {
  const guard = createGuard(yaml, locate)
  const parser = new yaml.Parser(lines.addNewLine)
  const composer = new yaml.Composer({
    uniqueKeys: false,
    merge: false,
    strict: true,
    version: '1.2',
    schema: 'core',
    logLevel: 'error',
  })
  const documents: Document[] = []
  const compose = (tokens: Iterable<CST.Token>): void => {
    for (const token of tokens) {
      // The parser would go on, and word the next thousands as well.
      if (token.type === 'error') throw mistake(`expected YAML, got a mistake: ${token.message}`, locate(token.offset))
      documents.push(...composer.next(token))
      checkOne(documents, locate)
    }
  }
  for (const lexeme of new yaml.Lexer().lex(text)) {
    guard(lexeme)
    compose(parser.next(lexeme))
  }
  compose(parser.end())
  documents.push(...composer.end())
  checkOne(documents, locate)
  const [document] = documents
  const problem = document?.errors[0] ?? document?.warnings[0]
  if (problem) throw mistake(`expected YAML, got a mistake: ${problem.message}`, locate(problem.pos[0]))
  return document
}

function checkOne([, second]: Document[], locate: Locate): void {
  if (second)
    throw mistake('expected one document, got several', locate(second.range?.[0] ?? 0), 'Put each into a file of its own.')
}

interface Reader {
  yaml: Yaml
  locate: Locate
}

function readNode(node: Node | null | undefined, reader: Reader, depth: number): unknown {
  if (reader.yaml.isMap(node)) return readMap(node, reader, depth + 1)
  if (reader.yaml.isSeq(node)) return readList(node, reader, depth + 1)
  return reader.yaml.isScalar(node) ? readScalar(node, reader) : null
}

function readMap(node: YAMLMap, reader: Reader, depth: number): Record<string, unknown> {
  checkDepth(depth, node, reader)
  const map: Record<string, unknown> = {}
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    // what the composer makes; edited documents may differ
    const position = reader.locate(pair.key.range?.[0] ?? 0)
    const key = readKey(pair.key, position, reader)
    if (Object.hasOwn(map, key)) throw mistake(`expected each key once, got "${key}" again`, position, 'Remove one of them.')
    if (isEmpty(pair.value, reader)) {
      throw mistake(`expected a value of "${key}", got nothing`, position, 'Write null to delete an inherited key.')
    }
    map[key] = readNode(pair.value, reader, depth)
    setPosition(map, key, position)
  }
  return map
}

function readList(node: YAMLSeq, reader: Reader, depth: number): unknown[] {
  checkDepth(depth, node, reader)
  const list: unknown[] = []
  for (const item of node.items as Node[]) {
    // as above
    const position = reader.locate(item.range?.[0] ?? 0)
    if (isEmpty(item, reader)) throw mistake('expected an item, got nothing', position, 'Remove the empty item.')
    setPosition(list, list.length, position)
    list.push(readNode(item, reader, depth))
  }
  return list
}

function readKey(node: Node, position: Position, { yaml }: Reader): string {
  if (!yaml.isScalar(node)) throw mistake('expected text as a key, got a map or list', position)
  const source = String(node.source ?? '')
  if (typeof node.value !== 'string' || isAmbiguous(node)) {
    throw mistake(`expected text as a key, got ${source || 'nothing'}`, position, `Quote it: ${JSON.stringify(source)}.`)
  }
  if (node.value === '<<') throw mistake('expected no merge key, got "<<"', position, 'Use "extends" or "$use".')
  if (forbidden.has(node.value.replace(/\+$/, ''))) {
    throw mistake(`expected another key, got ${quote(node.value)}`, position, 'Names of Object.prototype are refused.')
  }
  return node.value
}

function readScalar(node: Scalar, { locate }: Reader): unknown {
  const { value } = node
  if (typeof value === 'string' && !isAmbiguous(node)) return value
  const source = String(node.source ?? '')
  if (typeof value !== 'string' && source === String(value)) return value
  const plain = typeof value === 'string' ? (switches[source.toLowerCase()] ?? '') : String(value)
  throw mistake(
    `expected text in quotes, got ${source}, which YAML parsers read in different ways`,
    locate(node.range?.[0] ?? 0),
    `Quote it: ${JSON.stringify(source)}${plain ? `, or write ${plain}` : ''}.`,
  )
}

const switches: Record<string, string> = { yes: 'true', on: 'true', no: 'false', off: 'false' }

/** What YAML 1.1 reads as a boolean, a date, a time or a number, and YAML 1.2 as text. */
const ambiguous =
  /^(?:yes|no|on|off|\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d.*)?|[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?|[-+]?0b[01_]+|[-+]?\d[\d_]*_[\d_]*)$/i

function isAmbiguous(node: Scalar): boolean {
  return node.type === 'PLAIN' && typeof node.value === 'string' && ambiguous.test(node.value)
}

/** `key:` with nothing behind it: null to YAML, a half-written line to us. */
function isEmpty(node: Node | null | undefined, { yaml }: Reader): boolean {
  return !node || (yaml.isScalar(node) && node.type === 'PLAIN' && node.source === '')
}

function checkDepth(depth: number, node: Node, { locate }: Reader): void {
  if (depth > deepest) throw tooDeep(locate(node.range?.[0] ?? 0))
}

function tooDeep(position: Position): Error {
  return mistake(`expected at most ${deepest} levels of maps and lists, got more`, position, 'Move a part into "define".')
}

/** An odd backslash before what YAML 1.2 doesn't escape. */
const badEscape = /(?<!\\)(?:\\\\)*\\(?![0abtnvfre "/\\N_LPxuU\t\r\n])/

type LineCounter = InstanceType<Yaml['LineCounter']>

/**
 * Looks at each lexeme before the parser does, and throws at the first that a manifest may not have. Two values without
 * anything between them are among those: the parser goes on after such a mistake, at a cost that grows with their number.
 */
function createGuard(yaml: Yaml, locate: Locate): (lexeme: string) => void {
  let offset = 0
  let count = 0
  let flow = 0
  let indicators = 0
  let ended = false
  let block = false
  let before: CST.Token['type'] | null = null
  const refuse = (what: string, hint: string): Error => mistake(`expected plain YAML, got ${what}`, locate(offset), hint)

  function begin(): void {
    if (ended) throw refuse('a second value right after the first', 'Put a comma between them, or quote the text as a whole.')
  }

  function look(type: CST.Token['type'] | null, lexeme: string): void {
    switch (type) {
      case 'anchor':
      case 'alias':
        throw refuse(
          `the ${type} ${quote(lexeme)}`,
          'Write it out, or use "define" and "$use"; a text that begins so needs quotes.',
        )
      case 'tag':
        throw refuse(`the tag ${quote(lexeme)}`, 'Remove it; a text that begins with "!" needs quotes.')
      case 'directive-line':
        throw refuse('a directive', 'Remove the line.')
      case 'flow-map-start':
      case 'flow-seq-start':
        begin()
        if (++flow + indicators > deepest) throw tooDeep(locate(offset))
        break
      case 'flow-map-end':
      case 'flow-seq-end':
        if (--flow < 0) throw refuse(`"${lexeme}" without its opening`, 'Remove it, or quote the text that it belongs to.')
        ended = true
        break
      case 'comma':
        if (before === 'comma') throw refuse('a second comma', 'Remove it.')
        ended = false
        break
      case 'seq-item-ind':
      case 'explicit-key-ind':
      case 'map-value-ind':
        if (flow === 0 && ++indicators > deepest) throw tooDeep(locate(offset))
        ended = false
        break
      case 'newline':
        indicators = 0
        if (flow === 0) ended = false
        break
      case 'double-quoted-scalar':
      case 'single-quoted-scalar':
        begin()
        ended = true
        if (type === 'double-quoted-scalar' && badEscape.test(lexeme)) {
          throw refuse('a backslash that escapes nothing', 'Double it, or use single quotes.')
        }
        break
      case 'block-scalar-header':
        block = true
        break
      case 'scalar':
        begin()
        // Behind the text of a block scalar comes the next line, without a sign for its end.
        ended = !block
        block = false
        break
      case 'space':
        if (before === 'newline' && lexeme.includes('\t')) throw refuse('a tab in the indentation', 'Use spaces.')
    }
  }

  return (lexeme) => {
    if (++count > most) throw mistake('expected a manifest, got too many keys and items', locate(offset), 'Split it.')
    // Behind the sign for a scalar comes its text, which may begin like anything.
    const type = before === 'scalar' ? null : yaml.CST.tokenType(lexeme)
    look(type, lexeme)
    before = type
    // These are signs of the lexer's own and stand for no character of the text.
    if (type !== 'doc-mode' && type !== 'flow-error-end' && type !== 'scalar') offset += lexeme.length
  }
}
