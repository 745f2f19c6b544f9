import { chunk, head, last, sse } from '../tools/demo.ts'
import type { Received, Wire } from '../tools/server.ts'

/** What the demo's provider answers in these tests: texts that fit a task, or don't. */

export const right = '{"counts":[2,1]}'
export const wrong = '{"counts":["two"]}'
export const outputSchema = {
  type: 'object',
  required: ['counts'],
  properties: { counts: { type: 'array', items: { type: 'integer' } } },
}
export const asked = {
  modelId: 'demo/m1',
  task: 'custom',
  input: { instruction: 'Count the words.', data: { texts: ['one two', 'three'] } },
  outputSchema,
}

/** Says these texts, one a call, the last again and again; a stop may come late. */
export function says(texts: string[], late = 0) {
  return async (wire: Wire, _: Received, count: number): Promise<void> => {
    const text = texts[Math.min(count, texts.length) - 1] ?? ''
    wire.write(head())
    for (const piece of text.match(/.{1,5}/gs) ?? []) wire.write(chunk(sse({ text: piece })))
    if (late > 0) await wire.wait(late)
    wire.write(end())
  }
}

/** The end of a reply that is a stream. */
export function end(): Buffer {
  return Buffer.concat([chunk(sse({ stop: 'done', sum: { in: 10, out: 5 } }, '[END]')), Buffer.from(last)])
}

/** Says the first texts whole, and begins the next one without ever ending it. */
export function hangsAfter(texts: string[], begun = '{"cou') {
  return (wire: Wire, request: Received, count: number): void => {
    if (count <= texts.length) return void says(texts)(wire, request, count)
    wire.write(head())
    wire.write(chunk(sse({ text: begun })))
  }
}
