import { createServer } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Proxy {
  url: string
  /** What came by CONNECT, everything that the proxy could see of it. */
  tunnels: { path: string; headers: IncomingHttpHeaders; raw: string }[]
  /** What came as a whole request. */
  forwarded: { url: string; headers: IncomingHttpHeaders }[]
}

/** An HTTP proxy on 127.0.0.1 that leads every tunnel to `port`, whatever name was asked for; `refuse` answers with that status. */
export async function serveProxy(port: number, refuse?: number): Promise<Proxy> {
  const tunnels: Proxy['tunnels'] = []
  const forwarded: Proxy['forwarded'] = []
  const sockets = new Set<Socket>()

  const server = createServer((request, response) => {
    forwarded.push({ url: request.url ?? '', headers: request.headers })
    response.writeHead(refuse ?? 200).end('by proxy')
  })
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('error', () => undefined)))
  server.on('connect', (request, socket, head) => {
    tunnels.push({
      path: request.url ?? '',
      headers: request.headers,
      raw: `${request.rawHeaders.join('\n')}\n${head.toString('latin1')}`,
    })
    if (refuse !== undefined) return socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`)
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    sockets.add(target.on('error', () => socket.destroy()))
    socket.on('error', () => target.destroy())
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    const done = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await done
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels, forwarded } // it listens on TCP
}
