/** A server that answers every request at once and notes its nonce, so that a test sees that none came twice. */
import { httpServer, OK_BODY, type TestServer } from './engine.ts'

export interface NonceServer extends TestServer {
  /** In the order in which the requests came. */
  readonly nonces: string[]
}

export async function nonceServer(): Promise<NonceServer> {
  const nonces: string[] = []
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      nonces.push(/kt([a-z]{16})"/.exec(body)?.[1] ?? '')
      response.end(OK_BODY)
    })
  })
  return { ...server, nonces }
}
