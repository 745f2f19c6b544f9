import { createServer } from 'node:net'

/** The only address that services listen on. */
export const loopback = '127.0.0.1'

/** A port that is free now. Somebody may be quicker: whoever uses it finds out and asks again. */
export async function freePort(): Promise<number> {
  const port = await bind(0)
  if (port === undefined) throw new Error('no port of the loopback address is free')
  return port
}

export async function isFree(port: number): Promise<boolean> {
  return (await bind(port)) !== undefined
}

function bind(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port, host: loopback, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined))
    })
  })
}
