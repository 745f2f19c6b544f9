import type { FinishReason, Usage } from '../core/result.ts'
import type { SseOptions } from '../pipeline/decode/sse.ts'
import type { Completion, DecoderName, ReadPlan } from '../pipeline/plan.ts'
import { createMemory } from '../pipeline/learn.ts'
import { compileRules, type Rules } from '../pipeline/rules.ts'
import { wordsOf } from '../pipeline/words.ts'
import { compileSource, compileTest, type Context, type Place } from '../lang/context.ts'
import { compileTemplate } from '../lang/template.ts'
import { type Eval, isMap, type PlainMap, type Roots } from '../lang/value.ts'
import { type Classify, compileClassify } from './classify.ts'

/** How an operation's reply is read, whole, in pieces or as an error: closures only. */
export interface Reading {
  plan: ReadPlan
  finish: (raw: unknown) => FinishReason
  usage: (raw: unknown) => Usage | undefined
  classify: Classify
  /** Reads the reply's headers. */
  rateLimits: Eval | undefined
}

export function compileReading(manifest: PlainMap, node: PlainMap, context: Context): Reading {
  const at = (key: string): Place => ({ container: node, key })
  const rules = compileRules(node.events, context, at('events'))
  const followed = isMap(node.follow)
  return {
    plan: {
      decode: followed ? lines : decodeOf(node.decode),
      select: node.select === undefined ? undefined : compileSource(node.select, context, at('select')),
      rules,
      split: isMap(node.split) && isMap(node.split.text) ? (node.split.text as unknown as ReadPlan['split']) : undefined, // shape checked by the schema
      complete: compileCompletion(node, context, rules),
      special: wordsOf(...reached([node.events, node.select, node.complete, node.follow], manifest.define)),
      memory: createMemory(),
    },
    finish: compileFinish(node),
    usage: compileUsage(node, context),
    classify: compileClassify(manifest, context),
    rateLimits: isMap(manifest.limits)
      ? compileTemplate(manifest.limits, context, { container: manifest, key: 'limits' })
      : undefined,
  }
}

/** The nodes, and the fragments that they use, and what those use: those of requests have words that no frame is compared with. */
function reached(nodes: unknown[], define: unknown): unknown[] {
  const found = new Set<unknown>(nodes)
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    const fragment = isMap(define) && '$use' in node ? define[String(node.$use)] : undefined
    if (fragment !== undefined && !found.has(fragment)) {
      found.add(fragment)
      visit(fragment)
    }
    Object.values(node).forEach(visit)
  }
  nodes.forEach(visit)
  return [...found]
}

function decodeOf(node: unknown): { name: DecoderName; options: SseOptions } {
  if (typeof node === 'string') return { name: node as DecoderName, options: {} } // the schema allows only the four
  const [name, options] = isMap(node) ? (Object.entries(node)[0] ?? []) : []
  return { name: (name ?? 'json') as DecoderName, options: isMap(options) ? (options as SseOptions) : {} }
}

/** The answers about a job come as one stream of lines, whatever each of them was. */
const lines: ReadPlan['decode'] = { name: 'ndjson', options: {} }

function compileCompletion(node: PlainMap, context: Context, rules: Rules): Completion {
  if (isMap(node.follow)) {
    const until = compileTest(node.follow.until, context, { container: node.follow, key: 'until' })
    return { done: false, finish: false, end: false, when: [until] }
  }
  const list = Array.isArray(node.complete) ? node.complete : ['end']
  if (list.length === 1 && list[0] === 'finish' && !rules.kinds.has('finish')) {
    context.report({
      message: 'expected a rule that emits `finish`: it is the only proof of completion here',
      place: { container: node, key: 'complete' },
    })
  }
  return {
    done: list.includes('done'),
    finish: list.includes('finish'),
    end: list.includes('end'),
    when: list.filter(isMap).map((proof) => compileTest(proof.when, context, { container: proof, key: 'when' })),
  }
}

function compileFinish(node: PlainMap): (raw: unknown) => FinishReason {
  const table = isMap(node.finish) ? node.finish : {}
  const otherwise = typeof table.$else === 'string' ? (table.$else as FinishReason) : 'other'
  return (raw) => {
    const reason = String(raw)
    return Object.hasOwn(table, reason) && !reason.startsWith('$') ? (table[reason] as FinishReason) : otherwise
  }
}

function compileUsage(node: PlainMap, context: Context): (raw: unknown) => Usage | undefined {
  if (!isMap(node.usage)) return (raw) => ({ raw })
  const table = compileTemplate(node.usage, context, { container: node, key: 'usage' })
  const roots: Roots = {}
  return (raw) => {
    const counts = table(raw, roots)
    if (!isMap(counts)) return { raw }
    const usage: Usage & Record<string, unknown> = { ...counts }
    for (const name of Object.keys(usage)) if (typeof usage[name] !== 'number') delete usage[name]
    if (usage.totalTokens === undefined && usage.inputTokens !== undefined && usage.outputTokens !== undefined) {
      usage.totalTokens = usage.inputTokens + usage.outputTokens
    }
    usage.raw = raw
    return usage
  }
}
