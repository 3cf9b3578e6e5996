/**
 * The server of one process. `/v1/*` goes through the pipeline (see pipeline/request-pipeline.ts); `/healthz` and
 * `/readyz` answer for the process.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { reasonOf } from '../src/errors.ts'
import type { GatewayConfig } from './config/config.ts'
import type { AccessLogConfig } from './config/config-file.ts'
import type { AccessLog } from './events/access-log.ts'
import { drainRefusedBody } from './http/bad-clients.ts'
import { findRoute } from './http/endpoints.ts'
import { type GatewayError, invalidRequest, sendError, sendJson, sendReadiness } from './http/gateway-error.ts'
import { isHttp2 } from './http/http2-request.ts'
import { readHead as readRequestHead } from './http/request-head.ts'
import { idHeaders, requestIdOf } from './http/request-id.ts'
import { listen } from './listener.ts'
import { Admission } from './pipeline/intake.ts'
import { type PipelineDependencies, RequestPipeline } from './pipeline/request-pipeline.ts'
import { InFlightCounter, openServing, type Serving } from './serving.ts'
import type { PoolStats } from './upstream/pool.ts'
import type { Upstream } from './upstream/upstream.ts'
import { type Counts, Tally } from './workers/counts.ts'
import type { GatewayOptions, Publisher, RpcHandlers } from './workers/worker-group.ts'

const CLOSE = ['connection', 'close']

export interface GatewayServer {
  url: string
  port: number
  poolStats(): PoolStats
  /** What was counted since the start, whatever config it was. */
  counts(): Counts
  /** Resolves when the first warm-up is over; /readyz says how it ended. */
  warmedUp: Promise<void>
  /** Clients whose requests are being answered. */
  inFlight(): number
  /** /readyz says no, and why, until `done` is settled. */
  notReadyUntil(done: Promise<void>, why: string): void
  /** Accepts no more connections, lets requests in flight finish for a while, then ends. */
  close(): Promise<void>
}

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
  let waitsFor: string | undefined
  const notReady = (): string | undefined => (isDraining ? 'shutting down' : (serving.notReady() ?? waitsFor))
  const inFlight = new InFlightCounter()
  const accessLog = config.accessLog && (await openAccessLog(config.accessLog, publisher))
  const listener = await listen(config, (request, response) => {
    const { rules, dependencies } = serving
    inFlight.add(response)
    serving.inFlight.add(response)
    const head = readRequestHead(request, rules)
    const asked = head.ok
      ? serve(dependencies, notReady, request, response, head.value.url)
      : refuse(request, response, isHttp2(request) ? head.error : { ...head.error, headers: CLOSE })
    accessLog?.follow(request, response, asked)
  }).catch(async (error: unknown) => {
    await serving.close()
    throw error
  })
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
    listener.setCertificate((given as GatewayConfig).tls)
    void next.warmUp.start()
    // What began with the old config ends with it, however long that takes.
    void before.inFlight.settled().then(() => before.close())
    return null
  }
  const warmedUp = serving.warmUp.start()
  return {
    url: listener.url,
    port: listener.port,
    poolStats: () => serving.pool.stats(),
    counts: () => tally.total(),
    warmedUp,
    inFlight: () => inFlight.count,
    notReadyUntil: (done, why) => {
      waitsFor = why
      const isDone = (): void => {
        waitsFor = undefined
      }
      done.then(isDone, isDone)
    },
    close: async () => {
      isDraining = true
      serving.dependencies.draining = true
      serving.warmUp.stop()
      const closed = listener.close()
      await inFlight.settled(options.drainMs ?? config.limits.drainTimeoutMs)
      listener.closeConnections()
      await closed
      await serving.close()
      accessLog?.close()
    },
  }
}

function readHealth({ provider, circuits }: Upstream) {
  return { name: provider.name, circuit: circuits?.state(performance.now()) ?? null, opened: circuits?.opened ?? 0 }
}

/** What is off is not loaded. */
async function openAccessLog(config: AccessLogConfig, publisher: Publisher): Promise<AccessLog> {
  const { AccessLog } = await import('./events/access-log.ts')
  return new AccessLog(config, publisher)
}

/** Returns what the request is called, with all that is known of it where it goes through the pipeline. */
function serve(
  dependencies: PipelineDependencies,
  notReady: () => string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
): { id: string } {
  const method = request.method ?? ''
  if (url.startsWith('/v1/')) {
    if (leavesBasePath(url)) {
      return refuse(request, response, invalidRequest('invalid_path', 'the path leaves /v1'))
    }
    const path = url.slice('/v1'.length)
    const found = findRoute(method, path)
    if (found.found) {
      const pipeline = new RequestPipeline(dependencies, request, response, { path, route: found.route })
      pipeline.start()
      return pipeline.context
    }
    if (found.allowed.length === 0) return refuse(request, response, unknownUrl(method, url))
    const error = invalidRequest('method_not_allowed', `${method} is not supported here`, 405)
    return refuse(request, response, { ...error, headers: ['allow', found.allowed.join(', ')] })
  }
  if (url === '/healthz') sendJson(response, 200, { status: 'ok' })
  else if (url === '/readyz') sendReadiness(response, notReady())
  else return refuse(request, response, unknownUrl(method, url))
  return { id: requestIdOf(request.headers) }
}

function unknownUrl(method: string, url: string): GatewayError {
  return invalidRequest('unknown_url', `nothing is served at ${method} ${url}`, 404)
}

/** Answers a request that does not reach the pipeline. */
function refuse(request: IncomingMessage, response: ServerResponse, error: GatewayError): { id: string } {
  const id = requestIdOf(request.headers)
  sendError(response, error, idHeaders(id, false))
  drainRefusedBody(request)
  return { id }
}

/** The upstream would resolve dot segments, plain or encoded, to a path outside of its base path. */
function leavesBasePath(url: string): boolean {
  const path = url.split('?', 1)[0] ?? ''
  return /(?:^|[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:$|[/\\]|%2f|%5c)/i.test(path)
}
