/** The context of a request that never came over a socket. */
import type { IncomingMessage } from 'node:http'
import { findRoute, type Route } from '../../../reference-gateway/http/endpoints.ts'
import { RequestContext } from '../../../reference-gateway/http/request-context.ts'

export function contextOf(request: Partial<IncomingMessage>, path = '/chat/completions'): RequestContext {
  return new RequestContext(request as IncomingMessage, path, routeOf(request.method ?? 'POST', path))
}

/** The route of a path; that of chat completions for a path that is not served. */
export function routeOf(method: string, path: string): Route {
  const found = findRoute(method, path)
  return found.found ? found.route : routeOf('POST', '/chat/completions')
}
