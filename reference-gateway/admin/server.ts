/**
 * The admin port: health, metrics, statistics, the cache and live events of the whole gateway.
 *   GET /healthz /readyz /metrics /pool /cache /stats      DELETE /cache[?model=m]
 *   GET /events            every event from now on, one JSON object a line
 *   GET /events/recent     the events that are kept, the oldest first
 * The port is bound to loopback. That keeps other machines out, but not the pages in a browser on this machine. So the
 * Host header must name a loopback address (against DNS rebinding), and whatever changes something needs a method that
 * a page cannot send elsewhere without asking. A token, where one is set, is compared in constant time.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from '../../src/system/node-http.ts'
import { listenAt } from '../../src/system/serve.ts'
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import { eventLine } from '../events/event.ts'
import type { EventHub } from '../events/hub.ts'
import { bearerOf, digestKey } from '../http/auth.ts'
import { sendError, sendJson, sendReadiness } from '../http/gateway-error.ts'
import type { AdminView } from './view.ts'

const HOST = '127.0.0.1'
const CLOSE_MS = 500
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?::\d+)?$/i

export interface AdminServer {
  url: string
  port: number
  close(): Promise<void>
}

interface AdminOptions {
  port: number
  token?: string | undefined
  view: AdminView
  hub: EventHub | undefined
}

/** Resolves when it listens; rejects with the system's error when it cannot. */
export function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const tails = new Set<ServerResponse>()
  return start(HOST, options.port, tails, (request, response) => {
    if (isForThisHost(request)) return serve({ ...options, tails }, ROUTES, request, response)
    refuse(response, 403, 'forbidden_host', 'ask for the admin port by a loopback address')
    return undefined
  })
}

/** The metrics at an address of choice, and nothing else of the admin port. */
export function startMetrics(options: AdminOptions & { host: string }): Promise<AdminServer> {
  const tails = new Set<ServerResponse>()
  return start(options.host, options.port, tails, (request, response) =>
    serve({ ...options, tails }, METRICS_ROUTES, request, response),
  )
}

async function start(
  host: string,
  givenPort: number,
  tails: ReadonlySet<ServerResponse>,
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void> | undefined,
): Promise<AdminServer> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    request.resume()
    answer(request, response)?.catch((error) => {
      if (response.headersSent) response.destroy()
      else sendError(response, { status: 500, code: 'admin_failed', message: String(error) })
    })
  })
  const { port, authority } = await listenAt(server, givenPort, host)
  return {
    url: `http://${authority}`,
    port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const tail of tails) tail.end()
      server.closeIdleConnections()
      // A client may follow live events and never read their end.
      const limit = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
      await closed
      clearTimeout(limit)
    },
  }
}

async function serve(
  options: Serving,
  routes: Readonly<Record<string, Route>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://admin')
  const route = `${request.method} ${url.pathname}`
  const serveOpen = PUBLIC_ROUTES[route]
  if (serveOpen) await serveOpen(options, response, url)
  else if (!mayPass(request, options.token)) refuse(response, 401, 'invalid_token', 'this port wants its token')
  else if (routes[route]) await routes[route](options, response, url)
  else refuse(response, 404, 'unknown_url', `nothing is served at ${route}`)
}

interface Serving extends AdminOptions {
  /** The responses of clients that follow live events. */
  tails: Set<ServerResponse>
}

type Route = (options: Serving, response: ServerResponse, url: URL) => Promise<void> | void

/** Health probes have no token. */
const PUBLIC_ROUTES: Record<string, Route> = {
  'GET /healthz': (_options, response) => {
    sendJson(response, 200, { status: 'ok' })
  },
  'GET /readyz': async ({ view }, response) => {
    sendReadiness(response, await view.notReady())
  },
}

const METRICS_ROUTES: Record<string, Route> = {
  'GET /metrics': async ({ view }, response) => {
    const { contentType, text } = await view.metrics()
    response.writeHead(200, { 'content-type': contentType }).end(text)
  },
}

const ROUTES: Record<string, Route> = {
  ...METRICS_ROUTES,
  'GET /pool': async ({ view }, response) => {
    sendJson(response, 200, await view.pool())
  },
  'GET /stats': async ({ view }, response) => {
    sendJson(response, 200, await view.stats())
  },
  'GET /cache': async ({ view }, response) => {
    const stats = await view.cache()
    if (stats) sendJson(response, 200, stats)
    else noCache(response)
  },
  'DELETE /cache': async ({ view }, response, url) => {
    const model = url.searchParams.get('model') ?? undefined
    const cleared = await view.clearCache(model)
    if (cleared === undefined) noCache(response)
    else if (cleared === null) refuse(response, 503, 'cache_unreachable', "the cache's backend cannot be reached")
    else sendJson(response, 200, { cleared, ...(model !== undefined && { model }) })
  },
  'GET /events': ({ hub, tails }, response) => {
    if (hub) follow(hub, response, tails)
    else noEvents(response)
  },
  'GET /events/recent': ({ hub }, response) => {
    if (!hub) {
      noEvents(response)
      return
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.end(toLines(hub.recent()))
  },
}

function follow(hub: EventHub, response: ServerResponse, tails: Set<ServerResponse>): void {
  tails.add(response)
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' }).flushHeaders()
  const stop = hub.follow((events) => {
    if (response.write(toLines(events))) return
    // A client that reads too slowly loses events and is told so; they do not pile up here.
    return new Promise((resolve) => {
      response.once('drain', resolve).once('close', resolve)
    })
  })
  response.once('close', () => {
    tails.delete(response)
    stop()
  })
}

function toLines(events: readonly GatewayEvent[]): string {
  return events.map(eventLine).join('')
}

function isForThisHost(request: IncomingMessage): boolean {
  return LOOPBACK.test(request.headers.host ?? '')
}

function mayPass(request: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true
  return timingSafeEqual(digestKey(bearerOf(request.headers.authorization) ?? ''), digestKey(token))
}

function noCache(response: ServerResponse): void {
  refuse(response, 404, 'no_cache', 'this gateway has no cache: set gateway.cache.enabled in its config')
}

function noEvents(response: ServerResponse): void {
  refuse(response, 404, 'no_events', 'this gateway emits no events: gateway.events.enabled is false in its config')
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  sendError(response, { status, code, message, headers: status === 401 ? ['www-authenticate', 'Bearer'] : [] })
}
