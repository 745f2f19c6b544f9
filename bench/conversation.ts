/** What every client asks, on every wire. */
export const model = { openai: 'gpt-4o', anthropic: 'claude-sonnet-4-6', google: 'gemini-3.5-flash', ollama: 'qwen3.6' }
export const maxTokens = 4096
export const prompt = 'Tell me about the harbour, and then look up the weather there.'

/** A tool that the reply calls at its end, so that arguments in pieces are part of the work. */
export const tool = {
  name: 'get_weather',
  description: 'The weather of a place',
  parameters: {
    type: 'object' as const,
    properties: {
      place: { type: 'string' as const },
      days: { type: 'integer' as const },
      units: { type: 'string' as const, enum: ['metric', 'imperial'] },
    },
    required: ['place'],
  },
}

/** What every client must give back: the whole text, the call with parsed arguments, the counts. */
export interface Answer {
  text: string
  toolCall?: { id: string; name: string; arguments: unknown } | undefined
  usage: { inputTokens?: number | undefined; outputTokens?: number | undefined }
}

/** For a call whose id a client doesn't give on, so that it isn't compared. */
export const noId = 'none'

export type Wire = keyof typeof model

/** One kind of work: a wire, streamed or whole. */
export type Task = `${Wire}.stream` | 'openai.whole' | 'openai.slow'

export const wireOf = (task: Task) => task.split('.')[0] as Wire // as its type says

/** How a slow consumer reads: so many texts, with so many milliseconds after each, and then it leaves. */
export const slow = { texts: 40, ms: 25 }

/** Does the whole call once, from building the request to the last event. */
export type Run = () => Promise<Answer>

/** What each file in `clients/` exports: an address in, the tasks it can do out. Called once an address, outside the measured part. */
export type Connect = (base: string) => Partial<Record<Task, Run>> | Promise<Partial<Record<Task, Run>>>
