/** The templates of every dialect that chats: rendered for 20 messages with tools, compiled, and loaded from their YAML. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { compileOperation } from '../../src/manifest/compile.ts'
import type { Operation } from '../../src/manifest/compile.ts'
import { normalizeChat } from '../../src/core/normalize.ts'
import { jsonBytes } from '../../src/lang/json.ts'
import { conversations, needles, neutral } from '../history.ts'
import type { Conversation } from '../history.ts'
import type { Load, Subject } from '../subjects.ts'

const dialects = readdirSync(join(bundledProtocols, 'dialects')).map((file) => file.replace(/\.yaml$/, ''))
const catalog = createCatalog({ paths: [bundledProtocols] })
const name = 'some-model'
const [conversation] = conversations('tools') as [Conversation]
const wanted = needles(conversation).map((text) => JSON.stringify(text).slice(1, -1))

function compile(dialect: string): Operation {
  const operation = compileOperation(catalog.resolve(dialect), 'chat')
  void operation.reading // compiled when first asked for
  return operation
}

/** Only what carries tools: the others have no such conversation. */
const chats = (dialect: string) => {
  const { operations = {} } = catalog.resolve(dialect) as { operations?: Record<string, unknown> } // checked by its schema
  return 'chat' in operations && compile(dialect).reads.has('tools')
}

function checkBody(made: unknown): void {
  const text = String(made)
  const lost = wanted.find((needle) => !text.includes(needle))
  if (lost !== undefined) throw new Error(`the body has lost ${lost}`)
}

function checkOperation(made: unknown): void {
  const { body, reading } = made as Operation // what `run` gives
  if (body === undefined || typeof reading !== 'object') throw new Error('the operation is not whole')
}

/** A body made as data, and written as JSON without that. */
function renderer(dialect: string): { body: () => unknown; write: () => unknown } {
  const operation = compile(dialect)
  const { request } = normalizeChat(neutral(dialect, name, conversation), name, dialect, true)
  const { body, write } = operation
  if (body === undefined || write === undefined) throw new Error(`${dialect} has no body`)
  const roots = { request, env: {}, start: 0, now: 0 }
  return { body: () => body(request, roots), write: () => jsonBytes((out) => write(request, roots, out)) }
}

function load(dialect: string): Load {
  return {
    id: dialect,
    title: dialect,
    subjects: {
      'by-hand'(): Subject {
        const finished = renderer(dialect).body()
        return { run: () => Buffer.from(JSON.stringify(finished)), check: checkBody }
      },
      modelwire(): Subject {
        return { run: renderer(dialect).write, check: checkBody }
      },
      compile: (): Subject => ({ run: () => compile(dialect), check: checkOperation }),
      load: (): Subject => ({
        run: () => createCatalog({ paths: [bundledProtocols] }).resolve(dialect),
        check(made) {
          if ((made as { id?: unknown }).id !== dialect) throw new Error(`expected ${dialect}`) // a manifest
        },
      }),
    },
  }
}

export const loads: Load[] = dialects.filter(chats).map(load)
