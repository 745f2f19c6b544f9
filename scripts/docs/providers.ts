import { createRegistry } from '../../src/client/registry.ts'
import { variableName } from '../../src/client/options.ts'
import { type ChatRequest, createRuntime, type Message, ModelwireError, type Part, type ProviderInfo } from '../../src/index.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { readAuth } from '../../src/manifest/compile.ts'
import { code, table } from './markdown.ts'

const catalog = createCatalog({ paths: [bundledProtocols], env: {} })
const registry = createRegistry(catalog)

/** Any address and any value do: nothing is sent. */
function runtimeFor(ids: readonly string[]): ReturnType<typeof createRuntime> {
  const providers = ids.map((id) => {
    const { variables } = catalog.resolve(id)
    const values = Object.keys((variables ?? {}) as object).map((name) => [name, 'x'])
    return [id, { ...Object.fromEntries(values), baseUrl: 'http://127.0.0.1:9' }] as const
  })
  return createRuntime({ providers: Object.fromEntries(providers), env: {} })
}

const known = createRuntime({ env: {} }).providers()
const runtime = runtimeFor(known.map(({ id }) => id))
const callable = known.filter((info) => info.callable)
const dialects = known.filter((info) => !info.callable)

export function providerTable(): string {
  const rows = callable.map((info) => [
    code(info.id),
    info.docs === undefined ? (info.name ?? info.id) : `[${info.name ?? info.id}](${info.docs})`,
    ordered(info.operations),
    info.wires.map(code).join(', '),
    keysOf(info.id),
  ])
  return table(['id', 'provider', 'operations', 'other wires', 'key and variables'], rows)
}

const first = ['chat', 'embed']

function ordered(operations: readonly string[]): string {
  const ahead = first.filter((name) => operations.includes(name))
  return [...ahead, ...operations.filter((name) => !first.includes(name)).toSorted()].map(code).join(', ')
}

/** The environment variables that hold a provider's key and the parts of its address. */
function keysOf(id: string): string {
  const manifest = catalog.resolve(id)
  const auth = readAuth(manifest.auth)
  const optional = auth.scheme !== 'none' && auth.optional ? ' (optional)' : ''
  const usual = `${variableName(id)}_API_KEY`
  const keys =
    auth.scheme === 'none'
      ? []
      : auth.secrets.map(({ variables }) => (variables.length === 0 ? [usual] : variables).map(code).join(' or ') + optional)
  const [name] = registry.operations(id)
  const variables = name === undefined ? [] : registry.operation(id, name, 'any').variables
  const rest = variables.map(
    (variable) => [...variable.variables].map(code).join(' or ') + (variable.default === undefined ? '' : ' (optional)'),
  )
  return [...keys, ...rest].join(', ') || 'none'
}

export function dialectTable(): string {
  const rows = dialects.map((info) => [
    code(info.id),
    info.docs === undefined ? (info.name ?? '') : `[${info.name ?? info.id}](${info.docs})`,
    ordered(info.operations),
    usersOf(info.id).map(code).join(', '),
  ])
  return table(['id', 'wire', 'operations', 'extended by'], rows)
}

function usersOf(id: string): string[] {
  const parents = (node: unknown): unknown[] =>
    typeof node === 'object' && node !== null && 'extends' in node ? [node.extends].flat() : []
  return known
    .filter((other) => {
      const written = catalog.find(other.id)?.data ?? {}
      return [written, ...Object.values((written.wires ?? {}) as object)].flatMap(parents).includes(id)
    })
    .map((other) => other.id)
}

// ---- what a chat can carry: asked of the compiled templates, one request a question ------------------------------

const tools = [{ name: 'probe_tool', description: 'd', parameters: { type: 'object', properties: { probe: { type: 'string' } } } }]
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNiAAAABgADNjd8qAAAAABJRU5ErkJggg=='

type Asked = Partial<ChatRequest>

/** A conversation with a call: some wires want reasoning back only beside one. */
function turns(...thought: Part[]): Message[] {
  const call: Part = { type: 'tool_call', id: 'call_123', name: 'probe_tool', arguments: {} }
  return [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: [...thought, call] },
    { role: 'tool', content: [{ type: 'tool_result', id: 'call_123', content: 'r' }] },
  ]
}

/** A question: what is asked with the feature, and without it. */
type Question = { plain?: Asked; asked: Asked }

const inputs: Record<string, Question> = {
  system: { asked: { system: 'probe' } },
  images: { asked: { prompt: [{ type: 'image', data: pixel, mediaType: 'image/png' }] } },
  'image links': { asked: { prompt: [{ type: 'image', url: 'https://example.com/probe.png', mediaType: 'image/png' }] } },
  files: { asked: { prompt: [{ type: 'file', data: 'JVBERi0xLjQK', mediaType: 'application/pdf', name: 'probe.pdf' }] } },
  audio: { asked: { prompt: [{ type: 'audio', data: 'UklGRiQAAABXQVZF', mediaType: 'audio/wav' }] } },
  video: { asked: { prompt: [{ type: 'video', data: 'AAAAIGZ0eXBpc29t', mediaType: 'video/mp4' }] } },
  tools: { asked: { tools } },
  'tool choice': { plain: { tools }, asked: { tools, toolChoice: 'required' } },
  'one tool by name': { plain: { tools }, asked: { tools, toolChoice: { type: 'tool', name: 'probe_tool' } } },
  'parallel tools': { plain: { tools }, asked: { tools, parallelToolCalls: false } },
  'structured output': { asked: { output: { type: 'object', properties: { probe: { type: 'string' } } } } },
  'reasoning back': {
    plain: { messages: turns() },
    asked: { messages: turns({ type: 'reasoning', text: 'probe', signature: 'probe' }) },
  },
}

const settings: Record<string, Question> = {
  maxTokens: { asked: { maxTokens: 77 } },
  temperature: { asked: { temperature: 0.77 } },
  topP: { asked: { topP: 0.77 } },
  topK: { asked: { topK: 77 } },
  stop: { asked: { stop: ['probe'] } },
  seed: { asked: { seed: 77 } },
  frequencyPenalty: { asked: { frequencyPenalty: 0.77 } },
  presencePenalty: { asked: { presencePenalty: 0.77 } },
  'reasoning.effort': { asked: { reasoning: { effort: 'high' } } },
  'reasoning.budgetTokens': { asked: { reasoning: { budgetTokens: 2048 } } },
  n: { asked: { n: 2 } },
  logprobs: { asked: { logprobs: 2 } },
  user: { asked: { user: 'probe' } },
  metadata: { asked: { metadata: { probe: 'probe' } } },
  cache: { asked: { cache: true } },
}

/** What a reply can hold, by what its rules can say. */
const outputs: Record<string, string> = {
  text: 'text',
  reasoning: 'reasoning',
  'tool calls': 'tool',
  refusals: 'refusal',
  sources: 'source',
  files: 'file',
  audio: 'audio',
  'raw blocks': 'raw',
  usage: 'usage',
}

interface Wire {
  id: string
  wire: string | undefined
}

export function capabilityTables(): string {
  const wires = callable.flatMap((info) => wiresOf(info))
  const name = ({ id, wire }: Wire): string => code(id) + (wire === undefined ? '' : `, wire ${code(wire)}`)
  const asked = (questions: Record<string, Question>): string =>
    table(
      ['', ...Object.keys(questions)],
      wires.map((wire) =>
        [name(wire)].concat(Object.values(questions).map((question) => mark(wire, (model) => carries(wire, question, model)))),
      ),
    )
  const said = table(
    ['', ...Object.keys(outputs)],
    wires.map((wire) =>
      [name(wire)].concat(
        Object.values(outputs).map((kind) => mark(wire, (model) => chatOf(wire, model).reading.plan.rules.kinds.has(kind))),
      ),
    ),
  )
  return [
    `### What can be sent\n\n${asked(inputs)}`,
    `### What can be set\n\n${asked(settings)}`,
    `### What can come back\n\n${said}`,
  ].join('\n\n')
}

function wiresOf({ id, operations, wires }: ProviderInfo): Wire[] {
  const own = operations.includes('chat') ? [{ id, wire: undefined }] : []
  return [...own, ...wires.filter((wire) => registry.operations(id, wire).includes('chat')).map((wire) => ({ id, wire }))]
}

function chatOf({ id, wire }: Wire, model: string): ReturnType<typeof registry.operation> {
  return registry.operation(id, 'chat', model, wire)
}

/** A model that no patch of the manifest matches, and one for each pattern of its patches. */
function modelsOf({ id, wire }: Wire): string[] {
  const { models } = wire === undefined ? catalog.resolve(id) : catalog.resolveWire(id, wire)
  const patches = Array.isArray(models) ? (models as { match: string | string[] }[]) : [] // by the schema
  return ['any', ...patches.flatMap(({ match }) => match).map((pattern) => pattern.replaceAll('*', ''))].filter(
    (model) => model !== '',
  )
}

/** The body differs with the feature, and nothing of it was left out. */
function carries(wire: Wire, { plain = {}, asked }: Question, model: string): boolean {
  try {
    const without = explain(wire, plain, model)
    const withIt = explain(wire, asked, model)
    const before = new Set(without.warnings.map(({ field }) => field))
    const lost = withIt.warnings.some(({ field }) => !before.has(field))
    return !lost && JSON.stringify(withIt.body) !== JSON.stringify(without.body)
  } catch (error) {
    if (error instanceof ModelwireError && error.kind === 'invalid_request') return false // the wire can't say it at all
    throw error
  }
}

function explain({ id, wire }: Wire, asked: Asked, model: string): ReturnType<typeof runtime.explain> {
  const request: ChatRequest = { model: `${id}/${model}`, ...asked, ...(wire === undefined ? {} : { wire }) }
  return runtime.explain(asked.prompt === undefined && asked.messages === undefined ? { ...request, prompt: 'q' } : request)
}

/** Models may differ, by the manifest's own patches. */
function mark(wire: Wire, holds: (model: string) => boolean): string {
  const answers = new Set(modelsOf(wire).map(holds))
  return answers.size > 1 ? 'some' : answers.has(true) ? 'yes' : '–'
}
