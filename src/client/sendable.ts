/** Whether kt can send what a user asks for, said before anything is sent. */
import { UserError } from '../errors.ts'
import { whyUnsendable } from '../http1/request-head.ts'

/** Of a connection, not of a request (RFC 9113, 8.2.2). */
const NOT_OVER_HTTP2 = new Set(['proxy-connection', 'http2-settings', 'te'])

/** Refuses headers that would fail every request. */
export function assertSendable(headers: Readonly<Record<string, string>>, http2: boolean): void {
  for (const [name, value] of Object.entries(headers)) {
    const why =
      http2 && NOT_OVER_HTTP2.has(name.toLowerCase()) ? 'HTTP/2 has no such header' : whyUnsendable(name, value)
    if (why === undefined) continue
    throw new UserError(`kt cannot send the header '${name}': ${why}`, 'Leave it out, or correct it.')
  }
}
