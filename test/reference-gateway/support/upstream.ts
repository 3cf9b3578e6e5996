/** A provider under the test's control: node:http with a handler of the test's own, and a view of its connections. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Upstream {
  url: string
  server: Server
  /** Connections since the start, at this moment, and at most at the same time. */
  opened: number
  open: number
  mostOpen: number
  sockets: Set<Socket>
  close(): Promise<void>
}

export async function startUpstream(
  handler: RequestListener,
  options: { keepAliveTimeout?: number } = {},
): Promise<Upstream> {
  const server = createServer({ keepAliveTimeout: 60_000, ...options }, handler)
  const upstream: Upstream = {
    url: '',
    server,
    opened: 0,
    open: 0,
    mostOpen: 0,
    sockets: new Set(),
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  server.on('connection', (socket: Socket) => {
    upstream.opened++
    upstream.open++
    upstream.mostOpen = Math.max(upstream.mostOpen, upstream.open)
    upstream.sockets.add(socket)
    socket.once('close', () => {
      upstream.open--
      upstream.sockets.delete(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return upstream
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = JSON.stringify(value)
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body)
}

export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
