/** Paths of the manifests, on frames as they come: compiled by us, by jsonpath-plus, and as plain code. */
import { JSONPath } from 'jsonpath-plus'
import { compileText } from '../../src/lang/expr.ts'
import { same } from '../subjects.ts'
import type { Load, Subject } from '../subjects.ts'

/** What is looked into: enough of a frame for all paths of its kind. */
interface Frame {
  choices?: { delta?: { content?: string; refusal?: { text?: string } } }[]
  usage?: { prompt_tokens_details?: { cached_tokens?: number } }
  candidates?: { content?: { parts?: { text?: string }[] } }[]
  content?: { type: string; text?: string }[]
}

const chunk = (turn: number): Frame & Record<string, unknown> => ({
  id: 'chatcmpl-DPTJImmFi8ztHBFc1C9iyOwgdE1wk',
  object: 'chat.completion.chunk',
  created: 1774963240,
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, delta: { content: ` word ${turn}` }, logprobs: null, finish_reason: null }] as Frame['choices'] & object,
  usage: { prompt_tokens: 1184, prompt_tokens_details: { cached_tokens: turn } } as Frame['usage'] & object,
})

const candidate = (turn: number): Frame & Record<string, unknown> => ({
  candidates: [{ content: { parts: [{ text: `one ${turn}` }, { text: 'two' }, { text: 'three' }] } }],
  modelVersion: 'gemini-3-pro',
})

const message = (turn: number): Frame & Record<string, unknown> => ({
  id: 'msg_0162isBHX3JcLbJ4NFHthYxA',
  content: [
    { type: 'thinking' },
    { type: 'text', text: `one ${turn}` },
    { type: 'tool_use', name: 'get_weather' } as { type: string },
    { type: 'text', text: 'two' },
  ],
})

function descend(node: unknown, found: unknown[] = []): unknown[] {
  if (typeof node !== 'object' || node === null) return found
  if (!Array.isArray(node) && 'text' in node) found.push(node.text)
  for (const below of Object.values(node)) descend(below, found)
  return found
}

/** So many different frames: what never changes could be lifted out of the loop. A power of two. */
const count = 64

interface Case {
  path: string
  frame: (turn: number) => Frame
  byHand: (frame: Frame) => unknown
  /** It gives a list. */
  several?: true
}

const cases: Case[] = [
  { path: '$.choices[0].delta.content', frame: chunk, byHand: (frame) => frame.choices?.[0]?.delta?.content },
  {
    path: '$.usage.prompt_tokens_details.cached_tokens',
    frame: chunk,
    byHand: (frame) => frame.usage?.prompt_tokens_details?.cached_tokens,
  },
  { path: '$.choices[0].delta.refusal.text', frame: chunk, byHand: (frame) => frame.choices?.[0]?.delta?.refusal?.text },
  {
    path: '$.candidates[0].content.parts[*].text',
    frame: candidate,
    byHand: (frame) => frame.candidates?.[0]?.content?.parts?.map((part) => part.text),
    several: true,
  },
  {
    path: "$.content[?(@.type=='text')].text",
    frame: message,
    byHand: (frame) => frame.content?.filter((block) => block.type === 'text').map((block) => block.text),
    several: true,
  },
  { path: '$..text', frame: candidate, byHand: (frame) => descend(frame), several: true },
]

function load({ path, frame, byHand, several }: Case): Load {
  const frames = Array.from({ length: count }, (_, turn) => frame(turn))
  const at = (turn: number): Frame => frames[turn % count] ?? {}
  const subject = (read: (frame: Frame) => unknown): Subject => ({
    run: (turn) => read(at(turn)),
    check: (made, turn) => same(made, byHand(at(turn))),
  })
  return {
    id: path,
    title: path,
    subjects: {
      'by-hand': () => subject(byHand),
      modelwire() {
        const { eval: evaluate } = compileText(path)
        const roots = {}
        return subject((json) => evaluate(json, roots))
      },
      // It hands a text or a number over by throwing; a list, wrapped, is its fast way.
      'jsonpath-plus': () =>
        subject((json) => {
          const found = JSONPath({ path, json, wrap: true, eval: 'safe' }) as unknown[] // what `wrap` says
          return several ? found : found[0]
        }),
    },
  }
}

export const loads: Load[] = cases.map(load)
