/**
 * Requests over HTTP/2, as node:http2 gives them to those who know HTTP/1.1: the same calls, with pseudo headers among
 * the headers, and without a connection of their own.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Http2ServerRequest, Http2ServerResponse } from 'node:http2'

export type AnyRequest = IncomingMessage | Http2ServerRequest
export type AnyResponse = ServerResponse | Http2ServerResponse

/** node:http2 promises that its objects do what those of node:http do. */
export function asHttp1(request: AnyRequest, response: AnyResponse): [IncomingMessage, ServerResponse] {
  if (response instanceof Http2ServerResponse) {
    const { headers, rawHeaders } = request
    const authority = headers[':authority']
    // Two names of one host would be two for those behind this gateway.
    if (authority !== undefined) rawHeaders.push('host', String(authority))
    headers.host ??= String(authority ?? '')
    dropPseudoHeaders(rawHeaders)
  }
  return [request as IncomingMessage, response as ServerResponse]
}

function dropPseudoHeaders(raw: string[]): void {
  let kept = 0
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]?.startsWith(':')) continue
    raw[kept++] = raw[i] ?? ''
    raw[kept++] = raw[i + 1] ?? ''
  }
  raw.length = kept
}

export function isHttp2(request: AnyRequest): request is Http2ServerRequest {
  return 'stream' in request
}

/** Ends an answer so that nobody takes it for whole. */
export function breakOff(request: IncomingMessage, response: ServerResponse): void {
  // Without an error, Node would end the stream as if it were whole.
  if (isHttp2(request)) response.destroy(new Error('the answer broke off'))
  // What ends with its connection would look complete after a plain close, so the connection is reset.
  else if (request.httpVersion === '1.1') response.destroy()
  else request.socket.resetAndDestroy()
}
