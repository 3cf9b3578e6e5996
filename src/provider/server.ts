/**
 * The simulated provider as an HTTP server: OpenAI's API in front of a latency model, and the truth about what it did. It is
 * not a model and not a load balancer: it answers plain words, in the time it is told to take, as exactly as it can.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { now } from '../system/clock.ts'
import { Exchange, type Simulation } from './exchange.ts'
import type { LatencyModel } from './latency.ts'
import { unsupportedEncoding, wrongKey } from './refusal.ts'
import { type ApiRoute, type ControlRoute, modelBody, modelsBody, routeOf } from './routes.ts'
import { TruthLog } from './truth.ts'

export interface ProviderOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  latency: LatencyModel
  /** Tokens in an answer to a request without a limit of its own. */
  tokens: number
  /** When set, requests under /v1 need `authorization: Bearer <apiKey>`. */
  apiKey?: string
}

export interface ProviderStats {
  /** Requests under /v1, refused ones included. */
  requests: number
  inFlight: number
  connectionsOpened: number
  connectionsOpen: number
  /** Requests whose client left before the answer was whole. */
  aborted: number
}

export interface Provider {
  url: string
  port: number
  server: Server
  stats: () => ProviderStats
  /** Stops listening, lets what is in flight end for up to `graceMs` (2 s), then closes every connection. */
  close: (graceMs?: number) => Promise<void>
}

/** Longer than any client keeps an idle connection, so that it is never the provider that closes one under a request. */
const KEEP_ALIVE_MS = 65_000
const GRACE_MS = 2_000

/** Listens; rejects with the system's error (EADDRINUSE, ...) when it cannot. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const { latency, tokens } = options
  const simulation: Simulation = { latency, tokens, clock: now, truth: new TruthLog() }
  const stats: ProviderStats = { requests: 0, inFlight: 0, connectionsOpened: 0, connectionsOpen: 0, aborted: 0 }
  const authorization = options.apiKey === undefined ? undefined : `Bearer ${options.apiKey}`
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, (request, response) => {
    const route = routeOf(request.method ?? '', request.url ?? '')
    if (route.kind === 'control') control(route.action, response, simulation.truth, stats)
    else serve(simulation, stats, route, authorization, request, response)
  })
  server.on('connection', (socket: Socket) => {
    stats.connectionsOpened++
    stats.connectionsOpen++
    socket.on('close', () => stats.connectionsOpen--)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    port,
    server,
    stats: () => ({ ...stats }),
    close: (graceMs = GRACE_MS) => close(server, graceMs),
  }
}

function serve(
  simulation: Simulation,
  stats: ProviderStats,
  route: ApiRoute,
  authorization: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  stats.requests++
  stats.inFlight++
  const exchange = new Exchange(simulation, response, `kt${stats.requests.toString(36).padStart(8, '0')}`)
  response.on('close', () => {
    stats.inFlight--
    if (response.writableFinished) return
    stats.aborted++
    exchange.abort()
  })
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (authorization !== undefined && request.headers.authorization !== authorization) {
    exchange.refuse(wrongKey(request.headers.authorization !== undefined))
  } else if (route.kind === 'refusal') exchange.refuse(route.refusal)
  else if (route.kind === 'models') exchange.send(200, modelsBody())
  else if (route.kind === 'model') exchange.send(200, modelBody(route.model))
  else if (encoding !== 'identity') exchange.refuse(unsupportedEncoding(encoding))
  else exchange.answer(request, route.endpoint)
}

function control(
  action: ControlRoute['action'],
  response: ServerResponse,
  truth: TruthLog,
  stats: ProviderStats,
): void {
  if (action === 'clear-truth') {
    truth.clear()
    response.writeHead(204).end()
  } else if (action === 'stats') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(stats))
  } else {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    // pipeline() has closed both ends when it fails, and a reader that left in the middle is nobody to tell.
    pipeline(Readable.from(truth.ndjson()), response).catch(() => undefined)
  }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that falls idle after close() would be kept for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), 20)
  const deadline = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
}
