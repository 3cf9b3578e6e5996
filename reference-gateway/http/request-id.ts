/** What a request is called: as its client calls it, else a name of the gateway's own. */
import type { IncomingHttpHeaders } from 'node:http'

/** What can stand in a log and a header as it is. */
const WELL_FORMED = /^[\w.:~+/=@-]{1,128}$/
const ID_START = process.pid.toString(36) + Math.floor(performance.timeOrigin).toString(36)
let requests = 0

/** The client's `x-request-id` where it is one; else short, and unique over processes and restarts. */
export function requestIdOf(headers: IncomingHttpHeaders | undefined): string {
  const given = headers?.['x-request-id']
  if (typeof given === 'string' && WELL_FORMED.test(given)) return given
  return `${ID_START}-${(++requests).toString(36)}`
}

/** How an answer names its request. `named`: by the provider already, in its own way. */
export function idHeaders(id: string, named: boolean): string[] {
  return named ? ['x-kt-request-id', id] : ['x-request-id', id, 'x-kt-request-id', id]
}
