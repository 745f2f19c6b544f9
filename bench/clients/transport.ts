/** Modelwire's transport and `JSON.parse`, with nothing between: how much of a whole call is left for all else that one does. */
import { createHttpTransport } from '../../src/transport/http.ts'
import { inflowOf } from '../../src/wire/inflow.ts'
import type { Inflow } from '../../src/wire/call.ts'
import type { Connect } from '../conversation.ts'
import { handwritten } from '../wire.ts'
import { foldWhole, openaiBody } from '../wires/openai.ts'

const { path, headers } = handwritten.openai
const never = new AbortController().signal

function readAll(inflow: Inflow): Promise<Buffer> {
  const pieces: Buffer[] = []
  return new Promise((resolve, reject) => {
    const read = (): void => {
      try {
        for (;;) {
          const piece = inflow.read()
          if (piece === null) return resolve(Buffer.concat(pieces))
          if (piece === undefined) return inflow.wake(read)
          if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece)) // it is lent
        }
      } catch (error) {
        reject(error)
      }
    }
    read()
  })
}

export const connect: Connect = (base) => {
  const transport = createHttpTransport()
  return {
    async 'openai.whole'() {
      const body = JSON.stringify(openaiBody(false))
      const reply = await transport({ method: 'POST', url: `${base}${path}`, headers, body }, never)
      return foldWhole(JSON.parse((await readAll(inflowOf(reply))).toString()))
    },
  }
}
