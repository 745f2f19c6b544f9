/** Recorded streams, each with what reads it, by the dialect of its wire. */
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRecordings, readRoutes, routeOf } from '../src/cli/recordings.ts'
import type { Recording, Route } from '../src/cli/recordings.ts'
import { endingsOf } from '../src/client/endings.ts'
import { createRegistry } from '../src/client/registry.ts'
import { ModelwireError } from '../src/core/error.ts'
import { isMap } from '../src/lang/value.ts'
import type { Roots } from '../src/lang/value.ts'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import type { Operation } from '../src/manifest/compile.ts'
import { Reader } from '../src/pipeline/read.ts'

export interface RecordedStream {
  /** Reads it whole, from bytes to events; with `learn`, by the shapes of its frames. */
  read(learn: boolean): void
  /** Frames that it has, and those that a learner leaves to be parsed. */
  count(): { frames: number; parsed: number }
}

const pieceSize = 16 * 1024
const limit = 16 * 1024 * 1024
const routesFile = fileURLToPath(new URL('../test/recordings.yaml', import.meta.url))
const catalog = createCatalog({ paths: [bundledProtocols] })
const registry = createRegistry(catalog)

/** All of a folder that came as server-sent events or lines of JSON: no other framing has shapes to learn. */
export async function readStreams(folder: string): Promise<Map<string, RecordedStream[]>> {
  const routes = await readRoutes(folder, routesFile)
  const dialects = new Map<string, RecordedStream[]>()
  for (const { recording } of readRecordings(folder)) {
    if (recording?.kind !== 'stream' || (recording.framing !== 'sse' && recording.framing !== 'ndjson')) continue
    const route = routeOf(recording, routes)
    if (route === undefined) continue // a wire without a manifest
    const dialect = dialectOf(route)
    const streams = dialects.get(dialect) ?? []
    dialects.set(dialect, [...streams, prepare(recording, route)])
  }
  return new Map([...dialects].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** Of all manifests that one is made of, the last dialect that has the operation: parents come first. */
function dialectOf({ use, operation = 'chat', wire }: Route): string {
  const dialects = catalog.grounds(use, wire).filter(({ file }) => basename(dirname(file)) === 'dialects')
  const dialect = dialects.findLast(({ data }) => isMap(data.operations) && operation in data.operations)
  return String(dialect?.data.id ?? use)
}

function prepare({ request, response }: Recording, { use, operation = 'chat', wire }: Route): RecordedStream {
  const asked = request?.body
  const named = typeof asked === 'object' && asked !== null && 'model' in asked ? String(asked.model) : ''
  const reads = registry.operation(use, operation, named, wire)
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]))
  const body = Buffer.from(response.bodyText ?? '')
  const pieces = Array.from({ length: Math.ceil(body.length / pieceSize) }, (_, index) =>
    body.subarray(index * pieceSize, (index + 1) * pieceSize),
  )
  const { status } = response
  const rootsOf = (): Roots => ({ request: { model: named, stream: true }, headers, status })
  const input = { headers, limit, streamed: true, framed: true, endings: endingsOf(reads, { status, headers }, 1) }
  const { plan } = reads.reading

  return {
    read: (learn) => drain(new Reader(plan, { ...input, roots: rootsOf(), learn }), pieces),
    count() {
      const roots = rootsOf()
      let parsed = 0
      const run: Operation['reading']['plan']['rules']['run'] = (frame, seen, say) => {
        if (seen === roots) parsed++ // a learner's own probes see others
        return plan.rules.run(frame, seen, say)
      }
      const counted = { ...plan, rules: { ...plan.rules, run } }
      const reader = new Reader(counted, { ...input, roots, learn: true })
      drain(reader, pieces)
      return { frames: reader.progress.frames, parsed }
    },
  }
}

function drain(reader: Reader, pieces: Uint8Array[]): void {
  try {
    for (const piece of pieces) {
      reader.push(piece)
      reader.take()
    }
    reader.end()
    reader.take()
  } catch (error) {
    if (!(error instanceof ModelwireError)) throw error // streams that failed were recorded, too
  }
}
