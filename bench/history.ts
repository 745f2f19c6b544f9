/** A long conversation: 20 messages in our neutral form, in the words of each wire, and what must be found in any body made of it. */
import type { ChatRequest, Message, Tool, ToolCallPart } from '../src/core/request.ts'
import { maxTokens, model, tool } from './conversation.ts'
import { tokens } from './tokens.ts'

const text = (seed: number) => tokens(60, seed).join('').trim()

const system = text(1)

export const tools: Tool[] = [tool, ...['get_tides', 'find_ship', 'book_berth', 'list_boats', 'send_note'].map(another)]

function another(name: string, index: number): Tool {
  return {
    name,
    description: text(100 + index),
    parameters: {
      type: 'object',
      properties: {
        place: { type: 'string', description: 'A port, by its name' },
        count: { type: 'integer', minimum: 1, maximum: 10 + index },
        options: { type: 'array', items: { type: 'string', enum: ['now', 'later', 'never'] } },
      },
      required: ['place'],
    },
  }
}

const call = (index: number): ToolCallPart => ({
  type: 'tool_call',
  id: `call_${index}_k3TqZp0vXw8YbnL2`,
  name: tools[index % tools.length]?.name ?? tool.name,
  arguments: { place: `Port of "São João" ${index}`, count: index, options: ['now', 'later'] },
})

/** With tools every fifth message calls one, and the one after it holds its result. */
function turns(withTools: boolean, seed = 2): Message[] {
  return Array.from({ length: 20 }, (_, index): Message => {
    const content = text(index + seed)
    if (withTools && index % 5 === 1) return { role: 'assistant', content: [{ type: 'text', text: content }, call(index)] }
    if (withTools && index % 5 === 2)
      return { role: 'tool', content: [{ type: 'tool_result', id: call(index - 1).id, name: call(index - 1).name, content }] }
    return { role: index % 2 === 0 ? 'user' : 'assistant', content }
  })
}

export interface Conversation {
  messages: Message[]
  tools?: Tool[]
}

/** What the messages hold; `new` is one of text whose messages are others in each turn. */
export type Kind = 'text' | 'tools' | 'new'

const makers: Record<Kind, () => Conversation[]> = {
  text: () => [{ messages: turns(false) }],
  tools: () => [{ messages: turns(true), tools }],
  new: () => Array.from({ length: 600 }, (_, turn) => ({ messages: turns(false, 1_000 + 20 * turn) })), // four megabytes
}
const made = new Map<Kind, Conversation[]>()

/** The conversations that take turns. */
export function conversations(kind: Kind): Conversation[] {
  const list = made.get(kind) ?? makers[kind]()
  made.set(kind, list)
  return list
}

export function neutral(provider: string, name: string, conversation: Conversation): ChatRequest {
  return { model: `${provider}/${name}`, system, ...conversation, maxTokens }
}

// ---- by hand -----------------------------------------------------------------------------------------------------

/** What a careful programmer writes to bring the neutral form to one wire. */
export function toOpenai({ messages, tools: offered }: Conversation) {
  return {
    model: model.openai,
    messages: [{ role: 'system' as const, content: system }, ...messages.flatMap(openaiMessage)],
    ...(offered !== undefined
      ? {
          tools: offered.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            function: { name, description, parameters },
          })),
        }
      : {}),
    max_completion_tokens: maxTokens,
    stream: true,
    stream_options: { include_usage: true },
  }
}

function openaiMessage({ role, content }: Message): object[] {
  if (typeof content === 'string') return [{ role, content }]
  if (role === 'tool')
    return content.flatMap((part) => (part.type === 'tool_result' ? [{ role, tool_call_id: part.id, content: part.content }] : []))
  const said = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
  const calls = content.flatMap((part) =>
    part.type === 'tool_call'
      ? [{ id: part.id, type: 'function', function: { name: part.name, arguments: JSON.stringify(part.arguments) } }]
      : [],
  )
  return [{ role, content: said, ...(calls.length > 0 ? { tool_calls: calls } : {}) }]
}

export function toAnthropic({ messages, tools: offered }: Conversation) {
  return {
    model: model.anthropic,
    max_tokens: maxTokens,
    system: [{ type: 'text' as const, text: system }],
    messages: messages.map(anthropicMessage),
    ...(offered !== undefined
      ? { tools: offered.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })) }
      : {}),
    stream: true,
  }
}

function anthropicMessage({ role, content }: Message): object {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(anthropicBlock)
  return { role: role === 'tool' ? 'user' : role, content: blocks }
}

function anthropicBlock(part: Exclude<Message['content'], string>[number]) {
  if (part.type === 'tool_call') return { type: 'tool_use', id: part.id, name: part.name, input: part.arguments }
  if (part.type === 'tool_result')
    return { type: 'tool_result', tool_use_id: part.id, content: [{ type: 'text', text: part.content }] }
  return part
}

/** Every text, name and id of the conversation; a body that lacks one has lost something. */
export function needles({ messages, tools: offered = [] }: Conversation): string[] {
  const found = [system]
  for (const { content } of messages) {
    if (typeof content === 'string') found.push(content)
    else
      for (const part of content) {
        if (part.type === 'text') found.push(part.text)
        if (part.type === 'tool_call') found.push(part.name, 'São João')
        if (part.type === 'tool_result') found.push(String(part.content))
      }
  }
  return [...found, ...offered.flatMap(({ name, description }) => [name, description ?? ''])]
}
