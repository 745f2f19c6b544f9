import { SyntaxFault } from '../lang/cursor.ts'
import { compileExpression } from '../lang/expr.ts'
import { isMap, type PlainMap } from '../lang/value.ts'
import { speechFields } from './speech.ts'

/** Fields of the value at hand; undefined: there is no telling. */
type Needs = ReadonlySet<string> | undefined

/**
 * The fields without any of which a rule says nothing: what its `when` wants to be there, else what its `each` goes over,
 * else what its payloads and the rules below it read. Only a hint for speed: where it can't tell, the rule is always asked.
 */
export function needsOf(rule: PlainMap): Needs {
  const wanted = isMap(rule.when)
    ? Object.keys(rule.when).find((key) => !key.startsWith('$') && isWanted((rule.when as PlainMap)[key]))
    : undefined
  if (wanted !== undefined) return new Set([wanted])
  if ('each' in rule) return fieldsOf(rule.each)
  const emits = [rule.emit ?? []].flat()
  return union([...emits.map(needsOfEmit), ...needsBelow(rule.events)])
}

/** Whether a pattern fits nothing that isn't there. */
function isWanted(pattern: unknown): boolean {
  if (isMap(pattern)) return Object.entries(pattern).some(([key, inner]) => !key.startsWith('$') && isWanted(inner))
  return typeof pattern === 'string' || typeof pattern === 'number' || pattern === true
}

function needsOfEmit(emit: unknown): Needs {
  const payload =
    isMap(emit) && typeof emit.type === 'string' && Object.hasOwn(speechFields, emit.type)
      ? (speechFields[emit.type]?.payload ?? [])
      : []
  const read = isMap(emit) ? payload.filter((name) => name in emit).map((name) => fieldsOf(emit[name])) : []
  return read.length === 0 ? undefined : union(read)
}

function needsBelow(events: unknown): Needs[] {
  if (events === undefined) return []
  if (!isMap(events)) return [undefined]
  return Object.entries(events).map(([name, rule]) => (name !== '$use' && isMap(rule) ? needsOf(rule) : undefined))
}

function fieldsOf(text: unknown): Needs {
  if (typeof text !== 'string' || !text.startsWith('$.')) return undefined
  try {
    const { paths, literal } = compileExpression(text)
    if (literal) return undefined
    const firsts = paths.map(({ root, steps }) => (root === undefined && steps[0]?.kind === 'name' ? steps[0].name : undefined))
    return firsts.every((name) => name !== undefined) ? new Set(firsts) : undefined
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined // reported where the rule itself is compiled
    throw error
  }
}

function union(sets: Needs[]): Needs {
  const all = new Set<string>()
  for (const set of sets) {
    if (set === undefined) return undefined
    for (const name of set) all.add(name)
  }
  return all
}
