import { readFileSync } from 'node:fs'

/** Who is measured. The first is what all ratios are to. */
export const clients = [
  { id: 'by-hand', title: 'by hand: undici, line split', packages: ['undici'] },
  { id: 'eventsource-parser', title: 'by hand: eventsource-parser', packages: ['eventsource-parser'] },
  { id: 'modelwire', title: 'Modelwire', packages: [] },
  { id: 'transport', title: 'its transport, JSON.parse', packages: [] },
  { id: 'openai', title: 'openai', packages: ['openai'] },
  { id: 'anthropic-sdk', title: '@anthropic-ai/sdk', packages: ['@anthropic-ai/sdk'] },
  { id: 'ai-sdk', title: 'AI SDK (streamText)', packages: ['ai', '@ai-sdk/openai', '@ai-sdk/anthropic', '@ai-sdk/google'] },
  { id: 'google-genai', title: '@google/genai', packages: ['@google/genai'] },
  { id: 'ollama', title: 'ollama', packages: ['ollama'] },
  {
    id: 'langchain',
    title: 'LangChain',
    packages: ['@langchain/core', '@langchain/openai', '@langchain/anthropic', '@langchain/google', '@langchain/ollama'],
  },
  { id: 'pi-ai', title: 'pi-ai', packages: ['@earendil-works/pi-ai'] },
] as const

export type ClientId = (typeof clients)[number]['id']

export const titleOf = (id: string) => clients.find((client) => client.id === id)?.title ?? id

/** What else is measured beside us. */
const libraries = ['jsonpath-plus']

/** The packages beside which we stand, as they are installed: `openai` → `7.55.0`. */
export function versions(): Record<string, string> {
  const found: Record<string, string> = { modelwire: versionAt('../package.json') ?? 'unknown' }
  for (const name of [...clients.flatMap((client) => client.packages), ...libraries]) {
    const version = versionAt(`node_modules/${name}/package.json`) ?? versionAt(`../node_modules/${name}/package.json`)
    if (version) found[name] = version
  }
  return found
}

function versionAt(path: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version // npm's own format
  } catch {
    return undefined // not installed; the client says so when it is asked
  }
}
