/**
 * The server of one process. `/v1/*` goes through the pipeline (see pipeline/request-pipeline.ts); `/healthz` and
 * `/readyz` answer for the process.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { reasonOf } from '../src/errors.ts'
import type { GatewayConfig } from './config/config.ts'
import { closeHooks } from './hooks.ts'
import { answerInvalidRequests, answerTunnels, drainRefusedBody } from './http/bad-clients.ts'
import { findRoute } from './http/endpoints.ts'
import { type GatewayError, invalidRequest, sendError, sendJson, sendReadiness } from './http/gateway-error.ts'
import { readHead as readRequestHead } from './http/request-head.ts'
import { Admission } from './pipeline/intake.ts'
import { type PipelineDependencies, RequestPipeline } from './pipeline/request-pipeline.ts'
import { InFlightCounter, openServing, type Serving } from './serving.ts'
import type { PoolStats } from './upstream/pool.ts'
import type { Upstream } from './upstream/upstream.ts'
import { type Counts, Tally } from './workers/counts.ts'
import type { GatewayOptions, Publisher, RpcHandlers } from './workers/worker-group.ts'

export interface GatewayServer {
  url: string
  port: number
  poolStats(): PoolStats
  /** What was counted since the start, whatever config it was. */
  counts(): Counts
  /** Resolves when the first warm-up is over; /readyz says how it ended. */
  warmedUp: Promise<void>
  /** Accepts no more connections, lets requests in flight finish for a while, then ends. */
  close(): Promise<void>
}

/** How often Node looks for connections that are over their header or request timeout. */
const CHECK_INTERVAL_MS = 500
/**
 * Resolves when the server listens; rejects with the system's error when it cannot. The calls that this process answers
 * are added to `handlers`.
 */
export async function startServer(
  config: GatewayConfig,
  options: GatewayOptions,
  publisher: Publisher,
  handlers: RpcHandlers,
): Promise<GatewayServer> {
  const report = options.report ?? (() => {})
  const admission = new Admission()
  const tally = new Tally()
  const open = (next: GatewayConfig): Promise<Serving> =>
    openServing(next, options, { publisher, handlers, report, admission, tally })
  let serving = await open(config)
  let isDraining = false
  const notReady = (): string | undefined => (isDraining ? 'shutting down' : serving.notReady())
  const inFlight = new InFlightCounter()
  const server = createServer(
    {
      noDelay: true,
      // Longer than the idle time of load balancers in front of the gateway, so that they close first.
      keepAliveTimeout: 65_000,
      headersTimeout: config.limits.headerTimeoutMs,
      requestTimeout: config.limits.requestTimeoutMs,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    (request, response) => {
      const { rules, dependencies } = serving
      inFlight.add(response)
      serving.inFlight.add(response)
      const head = readRequestHead(request, rules)
      if (!head.ok) refuse(request, response, { ...head.error, headers: ['connection', 'close'] })
      else serve(dependencies, notReady, request, response, head.value.url)
    },
  )
  // The pipeline says whether the body is wanted.
  server.on('checkContinue', (request, response) => server.emit('request', request, response))
  answerInvalidRequests(server)
  answerTunnels(server)
  handlers.pool = () => ({ ...serving.pool.stats(), providers: serving.upstreams.map(readHealth) })
  handlers.counts = () => tally.total()
  handlers.ready = () => notReady() ?? null
  handlers.inFlight = () => inFlight.count
  handlers.pid = () => process.pid
  handlers.reload = async (given) => {
    // Another process of this gateway has read it.
    const next = await open(given as GatewayConfig).catch(reasonOf)
    if (typeof next === 'string') return next
    const before = serving
    serving = next
    void next.warmUp.start()
    // What began with the old config ends with it, however long that takes.
    void before.inFlight.settled().then(() => before.close())
    return null
  }
  await listen(server, config).catch(async (error: unknown) => {
    await closeHooks(serving.dependencies.hooks)
    throw error
  })
  const { port } = server.address() as AddressInfo
  const warmedUp = serving.warmUp.start()
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    port,
    poolStats: () => serving.pool.stats(),
    counts: () => tally.total(),
    warmedUp,
    close: async () => {
      isDraining = true
      serving.dependencies.draining = true
      serving.warmUp.stop()
      const closed = new Promise((resolve) => server.close(resolve))
      await inFlight.settled(options.drainMs ?? config.limits.drainTimeoutMs)
      server.closeAllConnections()
      await closed
      await serving.close()
    },
  }
}

function readHealth({ provider, circuits }: Upstream) {
  return { name: provider.name, circuit: circuits?.state(performance.now()) ?? null, opened: circuits?.opened ?? 0 }
}

function serve(
  dependencies: PipelineDependencies,
  notReady: () => string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
): void {
  const method = request.method ?? ''
  if (url.startsWith('/v1/')) {
    if (leavesBasePath(url)) {
      refuse(request, response, invalidRequest('invalid_path', 'the path leaves /v1'))
      return
    }
    const path = url.slice('/v1'.length)
    const found = findRoute(method, path)
    if (found.found) new RequestPipeline(dependencies, request, response, { path, route: found.route }).start()
    else if (found.allowed.length === 0) refuse(request, response, unknownUrl(method, url))
    else {
      const error = invalidRequest('method_not_allowed', `${method} is not supported here`, 405)
      refuse(request, response, { ...error, headers: ['allow', found.allowed.join(', ')] })
    }
  } else if (url === '/healthz') sendJson(response, 200, { status: 'ok' })
  else if (url === '/readyz') {
    sendReadiness(response, notReady())
  } else refuse(request, response, unknownUrl(method, url))
}

function unknownUrl(method: string, url: string): GatewayError {
  return invalidRequest('unknown_url', `nothing is served at ${method} ${url}`, 404)
}

/** Answers a request that does not reach the pipeline. */
function refuse(request: IncomingMessage, response: ServerResponse, error: GatewayError): void {
  sendError(response, error)
  drainRefusedBody(request)
}

/** The upstream would resolve dot segments, plain or encoded, to a path outside of its base path. */
function leavesBasePath(url: string): boolean {
  const path = url.split('?', 1)[0] ?? ''
  return /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i.test(path)
}

function listen(server: Server, config: GatewayConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
