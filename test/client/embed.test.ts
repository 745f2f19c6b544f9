import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createRuntime } from '../../src/index.ts'

it('a missing vector is told', async () => {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: [{ index: 0, embedding: [1, 2] }] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // it listens on a port
  const mw = createRuntime({ providers: { 'openai-embeddings': { baseUrl: `http://127.0.0.1:${port}` } } })
  const model = 'openai-embeddings/small'
  expect(await mw.embed({ model, input: 'a' })).toMatchObject({ embeddings: [[1, 2]], warnings: [] })
  const { warnings } = await mw.embed({ model, input: ['a', 'b'] })
  expect(warnings).toEqual([{ field: 'input', reason: '2 texts were sent, and 1 vectors came back' }])
  await mw.close()
  await new Promise((resolve) => server.close(resolve))
})
