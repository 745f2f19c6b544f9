import { createRequire } from 'node:module'
import { SyntaxFault } from './cursor.ts'
import { isMap } from './value.ts'

/**
 * Steps beyond our grammar go to jsonpath-plus, one at a time, which is a hundred times slower. Measured against the
 * compliance suite of RFC 9535 and beyond it, it agrees on these forms only, on the kind of value that they are for; so the
 * others are refused. No script, filter, function or name with a sign in it (`^`, `~`, `*`, `@…`) ever reaches it, and no
 * `length`, which it reads off lists.
 */
const name = String.raw`(?!length\b)[A-Za-z_][\w-]*`
const forms: { form: RegExp; fits: (node: unknown) => boolean }[] = [
  { form: new RegExp(String.raw`^\.\.${name}$`), fits: (node) => typeof node === 'object' && node !== null },
  { form: /^\[\d*:(?:[1-9]\d*)?(?::[1-9]\d*)?\]$/, fits: Array.isArray },
  { form: /^\[\d+(?:,\d+)+\]$/, fits: Array.isArray },
  { form: new RegExp(String.raw`^\['${name}'(?:,'${name}')+\]$`), fits: isMap },
]

/** Compiles one step, as it is written (`..name`, `[1:3]`, `[0,1]`, `['a','b']`), to the nodes that it finds below a value. `at`: where it stands. */
export function compileBeyond(written: string, at: number): (node: unknown) => unknown[] {
  const text = written.replace(/\s/g, '')
  const fits = forms.find(({ form }) => form.test(text))?.fits
  if (fits === undefined) {
    throw new SyntaxFault(
      `the step ${JSON.stringify(written)} is beyond what is supported`,
      at,
      'use names, [index], [*] and [?(@.field == "value")]; beyond these "..name", a slice [1:3] and a union [0,1] or [\'a\',\'b\']',
    )
  }
  const { JSONPath } = createRequire(import.meta.url)('jsonpath-plus') as typeof import('jsonpath-plus') // loaded only when such a path occurs
  return (node) => {
    if (!fits(node)) return []
    const found: unknown = JSONPath({ path: `$${text}`, json: node as object, wrap: true, eval: false }) // an object, as each `fits` asks
    return Array.isArray(found) ? found : []
  }
}
