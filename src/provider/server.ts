/**
 * The simulated provider as an HTTP server: the APIs of OpenAI, Anthropic and Gemini in front of a latency model, and
 * the truth about what it did. It is not a model and not a load balancer: it answers plain words, in the time it is
 * told to take, as exactly as it can, and fails where it is told to.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { now } from '../system/clock.ts'
import { listenAt } from '../system/serve.ts'
import { PLAIN_SHAPE, type StreamShape } from './api.ts'
import type { CassettePlayer } from './cassette/player.ts'
import { ProviderExchange, type Simulation } from './exchange.ts'
import type { FaultPlan } from './faults.ts'
import { unsupportedEncoding, wrongKey } from './faults.ts'
import type { LatencyModel } from './latency.ts'
import { type StallPlan, Stalls } from './latency.ts'
import { createListener, type ListenerOptions } from './listener.ts'
import type { Outgoing } from './reply.ts'
import { type ApiRoute, type ControlRoute, findRoute, modelBody, modelsBody } from './routes.ts'
import { ConnectionNumbers, countConnection, newStats, type ProviderStats, TruthLog } from './truth.ts'

export interface ProviderOptions extends ListenerOptions {
  host: string
  /** 0 lets the system choose. */
  port: number
  latency: LatencyModel
  /** Tokens in an answer to a request without a limit of its own. */
  tokens: number
  /** Billed and never shown; each takes a token gap before the first token. */
  reasoningTokens?: number
  shape?: StreamShape
  faults?: FaultPlan
  stall?: StallPlan
  /** Stamps the text of every token-bearing event too, for gateways that merge events. */
  stampInText?: boolean
  /** Recorded answers that are played in place of simulated ones. */
  player?: CassettePlayer
  /** When set, requests to the API need this key, where their format carries it. */
  apiKey?: string
}

export interface SimulatedProvider {
  url: string
  port: number
  server: Server
  stats: () => ProviderStats
  /** Tells every HTTP/2 client to open no more streams on its connection. */
  goAway: () => void
  /** Stops listening, lets what is in flight end for up to `graceMs` (2 s), then closes every connection. */
  close: (graceMs?: number) => Promise<void>
}

const GRACE_MS = 2_000

/** Listens; rejects with the system's error (EADDRINUSE, ...) when it cannot. */
export async function startProvider(options: ProviderOptions): Promise<SimulatedProvider> {
  const stats = newStats()
  const simulation: Simulation = {
    latency: options.latency,
    tokens: options.tokens,
    reasoningTokens: options.reasoningTokens ?? 0,
    shape: options.shape ?? PLAIN_SHAPE,
    faults: options.faults,
    stalls: options.stall && new Stalls(options.stall, now()),
    stampInText: options.stampInText ?? false,
    clock: now,
    truth: new TruthLog(),
    stats,
    connections: new ConnectionNumbers(),
    player: options.player,
  }
  if (options.player) stats.played = options.player.counts
  const { server, goAway, close } = createListener(
    options,
    (request: Request, response: Outgoing) => {
      const route = findRoute(request.method ?? '', request.url ?? '')
      if (route.kind === 'control') {
        control(route.action, response as ServerResponse, simulation, request.socket.remotePort)
      } else serve(simulation, route, options.apiKey, request, response)
    },
    (protocol, socket) => countConnection(stats, protocol, socket),
  )
  const { port, authority } = await listenAt(server, options.port, options.host)
  return {
    url: `${options.tls ? 'https' : 'http'}://${authority}`,
    port,
    server,
    stats: () => structuredClone(stats),
    goAway,
    close: (graceMs = GRACE_MS) => close(graceMs),
  }
}

type Request = IncomingMessage | Http2ServerRequest

function serve(
  simulation: Simulation,
  route: ApiRoute,
  apiKey: string | undefined,
  request: Request,
  response: Outgoing,
): void {
  const { stats, connections, player } = simulation
  const { flavor } = route
  stats.requests++
  stats.inFlight++
  const exchange = new ProviderExchange(simulation, flavor, response, stats.requests, connections.of(request))
  response.on('close', () => {
    stats.inFlight--
    if (exchange.reply.isComplete) return
    stats.aborted++
    exchange.reply.abort()
  })
  // Over HTTP/2, a stream that is reset says so here; the response's close is what counts.
  request.on('error', () => undefined)
  const encoding = request.headers['content-encoding'] ?? 'identity'
  const key = apiKey === undefined ? undefined : flavor.readKey(request.headers, request.url ?? '')
  const missing = flavor.checkHeaders?.(request.headers)
  if (apiKey !== key) exchange.refuse(wrongKey(key !== undefined, flavor.keyPlace))
  else if (player && isPlayed(route, request, player)) exchange.play(request, player)
  else if (route.kind === 'refusal') exchange.refuse(route.refusal)
  else if (route.kind === 'models') exchange.send(200, modelsBody())
  else if (route.kind === 'model') exchange.send(200, modelBody(route.model))
  else if (missing) exchange.refuse(missing)
  else if (encoding !== 'identity') exchange.refuse(unsupportedEncoding(String(encoding)))
  else exchange.answer(request, route.endpoint)
}

/** The list of models is simulated, unless it was recorded. */
function isPlayed({ kind }: ApiRoute, { method, url = '' }: Request, player: CassettePlayer): boolean {
  if (kind !== 'models' && kind !== 'model') return true
  return player.knows(`${method} ${url.split('?', 1)[0]}`)
}

/** The compatibility layer of HTTP/2 has all that is used of a ServerResponse here. */
function control(
  action: ControlRoute['action'],
  response: ServerResponse,
  { truth, stats }: Simulation,
  clientPort: number | undefined,
): void {
  switch (action) {
    case 'clear-truth':
      truth.clear()
      response.writeHead(204).end()
      break
    case 'health':
      response.writeHead(200).end()
      break
    case 'stats':
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...stats, clientPort }))
      break
    case 'truth':
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      // pipeline() has closed both ends when it fails, and a reader that left in the middle is nobody to tell.
      pipeline(Readable.from(truth.ndjson()), response).catch(() => undefined)
      break
    default:
      action satisfies never
  }
}
