import { type Eval, isBlank, isMap, type PlainMap } from './value.ts'

/** Constructs that make one value of several members'. */

/** The first that isn't blank. */
export function firstOf(members: Eval[]): Eval {
  return (at, roots) => {
    for (const member of members) {
      const value = member(at, roots)
      if (!isBlank(value)) return value
    }
    return undefined
  }
}

function numbers(members: Eval[]): (...args: Parameters<Eval>) => number[] {
  return (at, roots) => members.map((member) => member(at, roots)).filter((value) => typeof value === 'number')
}

export function sumOf(members: Eval[]): Eval {
  const list = numbers(members)
  return (at, roots) => {
    const found = list(at, roots)
    return found.length === 0 ? undefined : found.reduce((sum, value) => sum + value, 0)
  }
}

/** The first less the others; nothing without a first. */
export function minusOf([first = () => undefined, ...others]: Eval[]): Eval {
  const rest = numbers(others)
  return (at, roots) => {
    const value = first(at, roots)
    return typeof value === 'number' ? rest(at, roots).reduce((left, right) => left - right, value) : undefined
  }
}

/** One map of all. A member written as `$rest` gives what the others' texts don't read. */
export function mergeOf(members: Eval[], nodes: unknown): Eval {
  const rest = (Array.isArray(nodes) ? nodes : []).map((member) => isMap(member) && '$rest' in member)
  const siblings = namesRead(nodes)
  return (at, roots) => {
    let out: PlainMap | undefined
    members.forEach((member, index) => {
      const value = member(at, roots)
      if (!isMap(value)) return
      const left = rest[index] === true ? Object.fromEntries(Object.entries(value).filter(([key]) => !siblings.has(key))) : value
      out = Object.assign(out ?? {}, left)
    })
    return out === undefined || Object.keys(out).length === 0 ? undefined : out
  }
}

/** The names that the texts below a node read first (`$.model` → `model`). */
function namesRead(node: unknown): Set<string> {
  const names = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value === 'string') for (const [, name = ''] of value.matchAll(/\$\.([\w-]+)/g)) names.add(name)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  visit(node)
  return names
}
