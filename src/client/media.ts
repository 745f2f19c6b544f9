import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ModelwireError } from '../core/error.ts'
import type { ChatRequest, Message, Part } from '../core/request.ts'

const largest = 64 * 1_048_576
const longestPath = 1_024

const byExtension: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.heic': 'image/heic',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain',
  '.md': 'text/markdown',
  '.csv': 'text/csv',
  '.html': 'text/html',
  '.json': 'application/json',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.ogg': 'audio/ogg',
  '.flac': 'audio/flac',
  '.m4a': 'audio/mp4',
  '.webm': 'video/webm',
  '.mp4': 'video/mp4',
  '.mov': 'video/quicktime',
}

/** The first bytes of files, in base64: what most of them are known by. */
const byStart: [string, string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['JVBERi0', 'application/pdf'],
  ['SUQz', 'audio/mpeg'],
  ['T2dnU', 'audio/ogg'],
  ['ZkxhQ', 'audio/flac'],
]

/** Reads the files that a request's parts name, and says what each is. The request itself stays as it was. */
export function loadMedia(request: ChatRequest): ChatRequest {
  const loaded = { ...request }
  if (Array.isArray(request.prompt)) loaded.prompt = request.prompt.map(loadPart)
  if (Array.isArray(request.messages)) loaded.messages = request.messages.map(loadMessage)
  return loaded
}

function loadMessage(message: Message): Message {
  return Array.isArray(message?.content) && message.content.some(needsLoading)
    ? { ...message, content: message.content.map(loadPart) }
    : message
}

function needsLoading(part: Part): boolean {
  return typeof part === 'object' && part !== null && ('data' in part || part.type === 'tool_result')
}

function loadPart(part: Part): Part {
  if (part.type === 'tool_result' && Array.isArray(part.content)) return { ...part, content: part.content.map(loadPart) }
  if (part.type !== 'image' && part.type !== 'audio' && part.type !== 'video' && part.type !== 'file') return part
  if (part.data === undefined) return part
  const { data, mediaType, name } = readData(part.data, part.type)
  return {
    ...part,
    data,
    ...((part.mediaType ?? mediaType) === undefined ? {} : { mediaType: part.mediaType ?? mediaType }),
    ...((part.name ?? name) === undefined ? {} : { name: part.name ?? name }),
  } as Part // the same kind of part with its fields filled in
}

interface Loaded {
  data: string
  mediaType: string | undefined
  name?: string
}

function readData(data: Uint8Array | string, type: string): Loaded {
  if (typeof data !== 'string' && !ArrayBuffer.isView(data))
    throw new ModelwireError(
      'invalid_request',
      `the data of a part of type ${type} must be bytes or text, got ${data === null ? 'null' : typeof data}`,
    )
  if (typeof data !== 'string') return described(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))
  const url = /^data:([^;,]*)(?:;[^,]*)?;base64,/.exec(data.slice(0, 200))
  if (url !== null) return { data: data.slice(url[0].length), mediaType: url[1] === '' ? undefined : url[1] }
  const path = data.startsWith('file:') ? fileURLToPath(data) : data
  if (path.length <= longestPath && !path.includes('\0') && existsSync(path)) return readFile(path)
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(data.slice(0, 4_096).replace(/\s/g, '')) && data.length >= 8 && !/\.\w{2,5}$/.test(data))
    return described(data)
  const shown = data.length > 80 ? `${data.slice(0, 80)}…` : data
  throw new ModelwireError('invalid_request', `the ${type} ${JSON.stringify(shown)} is neither a file that exists nor base64`, {
    hint: 'pass a path, bytes (Uint8Array), base64 text, a data: URL, or `url`',
  })
}

function readFile(path: string): Loaded {
  const { size } = statSync(path)
  if (size > largest)
    throw new ModelwireError(
      'request_too_large',
      `the file ${path} has ${Math.round(size / 1_048_576)} MB; at most ${largest / 1_048_576} are read`,
    )
  const loaded = described(readFileSync(path).toString('base64'))
  return { ...loaded, mediaType: byExtension[extname(path).toLowerCase()] ?? loaded.mediaType, name: basename(path) }
}

function described(base64: string): Loaded {
  return { data: base64, mediaType: byStart.find(([start]) => base64.startsWith(start))?.[1] }
}
