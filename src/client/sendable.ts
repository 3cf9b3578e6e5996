/** Whether kt can send what a user asks for, said before anything is sent. */
import { Client } from 'undici'
import { UserError } from '../errors.ts'

/** Of a connection, not of a request (RFC 9113, 8.2.2): Node refuses them over HTTP/2. undici takes out the others. */
const NOT_OVER_HTTP2 = new Set(['proxy-connection', 'http2-settings', 'te'])

/** Refuses headers that would fail every request. */
export function assertSendable(headers: Readonly<Record<string, string>>, http2: boolean): void {
  // It never connects: undici looks at a request before it has a connection for it.
  const client = new Client('http://127.0.0.1', { connect: () => {} })
  for (const [name, value] of Object.entries(headers)) {
    const why = whyUnsendable(client, name, value, http2)
    if (why === undefined) continue
    void client.destroy()
    throw new UserError(`kt cannot send the header '${name}': ${why}`, 'Leave it out, or correct it.')
  }
  void client.destroy()
}

function whyUnsendable(client: Client, name: string, value: string, http2: boolean): string | undefined {
  if (name === 'content-length') return 'the lengths of its bodies differ, and it counts them itself'
  if (http2 && NOT_OVER_HTTP2.has(name)) return 'HTTP/2 has no such header'
  let why: string | undefined
  client.dispatch(
    { path: '/', method: 'POST', headers: [name, value], body: '{}' },
    {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: () => {},
      onResponseEnd: () => {},
      onResponseError: (_controller, error) => {
        why ??= error.message
      },
    },
  )
  return why
}
