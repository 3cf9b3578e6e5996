/** A collector of OTLP over HTTP, as far as kt speaks to one: it keeps what it got. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenAt } from '../../src/system/serve.ts'

interface Taken {
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface TestCollector {
  url: URL
  taken: Taken[]
  close(): void
}

/** `answer`: status and body for the n-th message. */
export async function startCollector(
  answer: (message: number) => readonly [status: number, body: object] = () => [200, {}],
): Promise<TestCollector> {
  const taken: Taken[] = []
  const server = createServer(async (request, response) => {
    taken.push({ path: request.url ?? '', headers: request.headers, body: await text(request) })
    const [status, body] = answer(taken.length - 1)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  const { authority } = await listenAt(server, 0, '127.0.0.1')
  return { url: new URL(`http://${authority}`), taken, close: () => server.close().closeAllConnections() }
}
