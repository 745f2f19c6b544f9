import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ModelwireError } from '../../core/error.ts'
import type { Pooling } from './settings.ts'

/** What those who published a model say of it in files beside it, in the form of the sentence-transformers library. */
export interface Published {
  pooling?: Pooling
  maxTokens?: number
}

const largest = 65_536
const modes: Record<string, Pooling> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_lasttoken: 'last',
}

/**
 * Looks beside the graph, and one folder up, where graphs stand in a folder of their own. A `pooling` that is known already
 * isn't looked for.
 */
export async function readPublished(graph: string, known: { pooling: boolean }): Promise<Published> {
  const folders = [dirname(graph), dirname(dirname(graph))]
  const pooling = known.pooling ? undefined : await firstOf(folders, '1_Pooling/config.json')
  const lengths = await firstOf(folders, 'sentence_bert_config.json')
  return {
    ...(pooling === undefined ? {} : { pooling: poolingOf(pooling) }),
    ...(typeof lengths?.values.max_seq_length === 'number' ? { maxTokens: lengths.values.max_seq_length } : {}),
  }
}

interface Found {
  file: string
  values: Record<string, unknown>
}

function poolingOf({ file, values }: Found): Pooling {
  const set = Object.keys(values).filter((key) => key.startsWith('pooling_mode_') && values[key] === true)
  const [only = ''] = set
  const pooling = set.length === 1 ? modes[only] : undefined
  if (pooling !== undefined) return pooling
  throw new ModelwireError(
    'configuration',
    `${file} asks for a pooling that there is none of here: ${set.join(' and ') || 'none at all'}`,
    {
      hint: `there are mean, cls and last; say which in the model's manifest: config.pooling`,
    },
  )
}

async function firstOf(folders: readonly string[], name: string): Promise<Found | undefined> {
  for (const folder of folders) {
    const file = join(folder, name)
    const text = await head(file)
    if (text === undefined) continue
    try {
      const values: unknown = JSON.parse(text)
      if (typeof values === 'object' && values !== null) return { file, values: { ...values } }
      throw new Error('expected a map')
    } catch (error) {
      throw new ModelwireError(
        'configuration',
        `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`,
        {
          hint: "download it again, or take it away and say config.pooling in the model's manifest",
        },
      )
    }
  }
  return undefined
}

async function head(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw new ModelwireError('configuration', `${path} can't be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(largest), 0, largest, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
