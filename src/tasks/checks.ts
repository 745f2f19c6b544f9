import { type Context, compileSource } from '../lang/context.ts'
import { type Eval, isMap } from '../lang/value.ts'
import type { Misfit } from './schema.ts'

/** What a JSON Schema can't say of a result: how its numbers lie to each other and to the input. */
export type ResultCheck = (output: unknown, input: object) => Misfit[]

/** Compiles the `checks` of a task, whose shape was checked. */
export function compileChecks(checks: unknown, context: Context): ResultCheck[] {
  return Array.isArray(checks) ? checks.filter(isMap).map((check) => compileCheck(check, context)) : []
}

function compileCheck(check: Record<string, unknown>, context: Context): ResultCheck {
  const each: Eval = 'each' in check ? compileSource(check['each'], context, { container: check, key: 'each' }) : (at) => at
  const field = typeof check['each'] === 'string' ? check['each'].replace(/^\$\.?/, '').replace('[*]', '') : ''
  const order = numbersOf(check['order'], context)
  const rising = numbersOf(check['rising'], context)
  const message = String(check['say'])
  return (output, input) => {
    const found = each(output, { request: input })
    const several = Array.isArray(found)
    return (several ? found : [found]).flatMap((item, index) => {
      const fits =
        inOrder(order(item, { request: input }), (before, after) => before <= after) &&
        inOrder(rising(item, { request: input }), (before, after) => before < after)
      return fits ? [] : [{ field: several ? `${field}.${index}` : field, message: `is wrong: ${message}` }]
    })
  }
}

function numbersOf(members: unknown, context: Context): (...args: Parameters<Eval>) => number[] {
  const list = Array.isArray(members) ? members : []
  const compiled = list.map((member, key): Eval =>
    typeof member === 'number' ? () => member : compileSource(member, context, { container: list, key }),
  )
  return (at, roots) => compiled.map((member) => member(at, roots)).filter((value) => typeof value === 'number')
}

function inOrder(numbers: number[], fits: (before: number, after: number) => boolean): boolean {
  return numbers.every((number, index) => index === 0 || fits(numbers[index - 1] ?? number, number))
}
