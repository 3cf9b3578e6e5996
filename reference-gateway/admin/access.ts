/**
 * Who may use the admin port. It is bound to loopback, which keeps other machines out but not the pages in a browser on
 * this one: a name that was made to point here (DNS rebinding) is refused by its Host header, and what changes anything
 * needs a method that a page cannot send elsewhere unasked. A token, where one is set, is compared in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i

export function isForThisHost(request: IncomingMessage): boolean {
  return LOOPBACK.test(request.headers.host ?? '')
}

export function mayPass(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return timingSafeEqual(digest(given), digest(token))
}

/** Of equal length whatever was given. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
