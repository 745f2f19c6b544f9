import { isBlank, isMap, inheritedNames } from './value.ts'
import { SyntaxFault } from './cursor.ts'

/** Whether a value fits. */
export type Pattern = (value: unknown) => boolean

const types: Record<string, Pattern> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  list: Array.isArray,
  map: isMap,
}

const operators: Record<string, (operand: unknown) => Pattern> = {
  $absent: (operand) => (operand === false ? (value) => !isBlank(value) : isBlank),
  $not: (operand) => not(compilePattern(operand)),
  $type: (operand) => typed(operand),
  $glob: (operand) => glob(String(operand)),
  $is: (operand) => (value) => (value ?? null) === operand,
  $some: (operand) => some(compilePattern(operand)),
}

/** The names of the operators, for the schema's check. */
export const patternOperators = Object.keys(operators)

function not(pattern: Pattern): Pattern {
  return (value) => !pattern(value)
}

function some(pattern: Pattern): Pattern {
  return (value) => Array.isArray(value) && value.some(pattern)
}

function typed(operand: unknown): Pattern {
  const known = typeof operand === 'string' && Object.hasOwn(types, operand) ? types[operand] : undefined
  if (known === undefined)
    throw new SyntaxFault(`expected one of ${Object.keys(types).join(', ')}, got ${JSON.stringify(operand)}`, 0)
  return known
}

/**
 * `*` for any run of characters; everything else is literal. Pieces are sought from left to right, so the cost is linear in
 * the text for each piece; there are no regular expressions in manifests.
 */
export function glob(pattern: string): Pattern {
  const pieces = pattern.split('*')
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)]
  const between = pieces.slice(1, -1)
  const least = first.length + last.length
  if (pieces.length === 1) return (value) => value === pattern
  return (value) => {
    if (typeof value !== 'string' || value.length < least) return false
    if (!value.startsWith(first) || !value.endsWith(last)) return false
    let at = first.length
    for (const piece of between) {
      const found = value.indexOf(piece, at)
      if (found < 0) return false
      at = found + piece.length
    }
    return at <= value.length - last.length
  }
}

/** Compiles a pattern: "*", a scalar, a list (one of), a map (every key fits) or an operator. */
export function compilePattern(node: unknown): Pattern {
  if (node === '*') return (value) => !isBlank(value)
  if (node === null || node === undefined) return (value) => value === undefined || value === null
  if (Array.isArray(node)) {
    const options = node.map(compilePattern)
    return (value) => options.some((option) => option(value))
  }
  if (!isMap(node)) return (value) => value === node
  const tests = Object.entries(node).map(([key, operand]) => compileKey(key, operand))
  const [only] = tests
  if (tests.length === 1 && only !== undefined) return only
  return (value) => tests.every((test) => test(value))
}

function compileKey(key: string, operand: unknown): Pattern {
  if (key.startsWith('$')) {
    const operator = Object.hasOwn(operators, key) ? operators[key] : undefined
    if (operator === undefined) throw new SyntaxFault(`expected one of ${patternOperators.join(', ')}, got ${key}`, 0)
    return operator(operand)
  }
  if (inheritedNames.has(key)) throw new SyntaxFault(`"${key}" is a name that every object inherits; it can't be read`, 0)
  const pattern = compilePattern(operand)
  return (value) => isMap(value) && pattern(Object.hasOwn(value, key) ? (value[key] ?? undefined) : undefined)
}
