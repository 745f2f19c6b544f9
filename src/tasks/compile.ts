import { ModelwireError } from '../core/error.ts'
import { type Context, compileSource, type Place } from '../lang/context.ts'
import { compileTemplate } from '../lang/template.ts'
import { asText, type Eval, isMap } from '../lang/value.ts'
import type { Source } from '../manifest/load.ts'
import { format, type Position, positionOf } from '../manifest/position.ts'
import { didYouMean } from '../manifest/suggest.ts'
import type { Problem } from '../manifest/validate.ts'
import { compileChecks, type ResultCheck } from './checks.ts'
import { inWords, type SchemaCheck, schemaCheck } from './schema.ts'
import type { InferOptions, JsonSchema, TaskKind } from './task.ts'

export type MediaType = 'image' | 'audio' | 'video'

/** A task, compiled. */
export interface Task extends TaskKind {
  /** What is wrong with an input. */
  checkInput: SchemaCheck
  /** The instructions for an input. */
  system(input: object): string
  /** The data of an input that the model gets. */
  data(input: object): unknown
  /** The values of an input that are media, in their order. */
  media: { type: MediaType; field: string; values: Eval }[]
  defaults: Pick<InferOptions, 'temperature' | 'topP' | 'maxTokens' | 'seed' | 'timeout'>
  checks: ResultCheck[]
  examples: { input: Record<string, unknown>; output: unknown; outputSchema?: JsonSchema }[]
}

type Report = (problem: Problem) => void

/** Compiles a task that has the right shape; each further mistake is reported. */
export function compileTask(source: Source, report: Report): Task {
  const { data, file } = source
  const input = data['input'] as JsonSchema // the shape was checked
  const output = data['output'] as JsonSchema // likewise
  const fields = isMap(input['properties']) ? input['properties'] : {}
  const at = (place: Place): Position => positionOf(place.container, place.key) ?? { file, line: 1, column: 1 }
  const context = (complain: (field: string) => string | undefined): Context => ({
    define: {},
    variables: [],
    report: ({ message, hint, place }) =>
      report({ where: at(place), message, ...(hint === undefined ? {} : { hint }), severity: 'error' }),
    where: (place) => format(at(place)),
    reads: new Set(),
    types: new Set(),
    complain,
    atRequest: true,
    fragments: new Map(),
    open: [],
  })
  const known = (field: string): string | undefined =>
    Object.hasOwn(fields, field)
      ? undefined
      : `expected a field of the input, got "${field}"${didYouMean(field, Object.keys(fields))}`
  const trusted = Array.isArray(data['trusted']) ? data['trusted'] : []
  const safe = (field: string): string | undefined =>
    known(field) ?? (trusted.includes(field) || isHarmless(fields[field]) ? undefined : untrusted(field))

  const tried = (key: string, schema: JsonSchema): SchemaCheck => {
    try {
      return schemaCheck(schema, key)
    } catch (error) {
      if (!(error instanceof ModelwireError)) throw error
      report({ where: at({ container: data, key }), message: error.message, severity: 'error' })
      return () => []
    }
  }

  const accepts = isMap(data['accepts']) ? data['accepts'] : {}
  const reading = context(known)
  const task: Task = {
    id: String(data['id']),
    name: String(data['name'] ?? data['id']),
    ...(typeof data['docs'] === 'string' ? { docs: data['docs'] } : {}),
    input,
    output,
    accepts: Object.keys(accepts),
    file,
    checkInput: tried('input', input),
    system: systemOf(data, context(safe)),
    data: dataOf(data, reading),
    media: Object.entries(accepts).map(([type, path]) => ({
      type: type as MediaType, // the schema allows no other keys
      field: String(path).replace(/^\$\.?/, ''),
      values: compileSource(path, reading, { container: accepts, key: type }),
    })),
    defaults: (data['defaults'] ?? {}) as Task['defaults'], // the shape was checked
    checks: compileChecks(data['checks'], { ...context(known), atRequest: false }),
    examples: (data['examples'] ?? []) as Task['examples'], // the shape was checked
  }
  checkExamples(task, tried('output', output), data, at, report)
  return task
}

function untrusted(field: string): string {
  return `expected a field that can hold no instructions, got "${field}": show it in \`prompt\`, or name it in \`trusted\` if the caller writes it`
}

/** Whether a value of this schema can't smuggle in words of a stranger. */
function isHarmless(schema: unknown): boolean {
  if (!isMap(schema)) return false
  if (Array.isArray(schema['enum']) || 'const' in schema) return true
  return [schema['type']].flat().every((type) => type === 'number' || type === 'integer' || type === 'boolean')
}

function systemOf(data: Source['data'], context: Context): Task['system'] {
  const written = compileTemplate(data['system'], context, { container: data, key: 'system' })
  return (input) => {
    const paragraphs = written(input, { request: input })
    return [paragraphs ?? []]
      .flat()
      .map((paragraph) => asText(paragraph).trim())
      .join('\n\n')
  }
}

function dataOf(data: Source['data'], context: Context): Task['data'] {
  const written = compileTemplate(data['prompt'], context, { container: data, key: 'prompt' })
  return (input) => written(input, { request: input }) ?? null
}

function checkExamples(
  task: Task,
  checkOutput: SchemaCheck,
  data: Source['data'],
  at: (place: Place) => Position,
  report: Report,
): void {
  task.examples.forEach((example, index) => {
    const own = example.outputSchema === undefined ? checkOutput : schemaCheck(example.outputSchema, 'outputSchema')
    const misfits = [
      ...task.checkInput(example.input).map((misfit) => `input: ${inWords(misfit)}`),
      ...own(example.output).map((misfit) => `output: ${inWords(misfit)}`),
      ...task.checks.flatMap((check) => check(example.output, example.input)).map((misfit) => `output: ${inWords(misfit)}`),
    ]
    const container = data['examples'] as object // it has examples
    for (const message of misfits)
      report({
        where: at({ container, key: index }),
        message: `expected an example that fits, got one whose ${message}`,
        severity: 'error',
      })
  })
}
