/**
 * The reference gateway: an OpenAI-compatible reverse proxy that measures itself. `/v1/*` goes to the provider of the
 * model, `/healthz` and `/readyz` answer for the gateway. What happens to one request is in exchange.ts.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GatewayConfig } from './config.ts'
import { Exchange, type ExchangeContext, refuse } from './exchange.ts'
import { invalidRequest, sendJson } from './openai-error.ts'
import { ConnectionPool, type PoolStats } from './pool.ts'
import { Router } from './routing.ts'
import { WarmUp } from './warmup.ts'

export interface GatewayOptions {
  /** Held in every request before the upstream is asked. */
  injectDelayMs?: number
  /** How long `close` waits for what is in flight. */
  drainMs?: number
  /** Told what goes wrong outside of a request. */
  report?: (problem: string) => void
}

export interface RunningGateway {
  url: string
  port: number
  poolStats(): PoolStats
  /** Resolves when the first warm-up is over; /readyz says what came of it. */
  warmedUp: Promise<void>
  /** Takes no more connections, lets what is in flight finish for a while, then ends. */
  close(): Promise<void>
}

const DRAIN_MS = 10_000
const METHODS = new Set(['GET', 'HEAD', 'POST', 'DELETE'])

/** Resolves when the gateway listens; rejects with the system's error when it cannot. */
export async function startGateway(config: GatewayConfig, options: GatewayOptions = {}): Promise<RunningGateway> {
  const pool = new ConnectionPool(config.pool, config.upstream)
  const warmUp = new WarmUp(config, pool, options.report ?? (() => {}))
  const context: { -readonly [Key in keyof ExchangeContext]: ExchangeContext[Key] } = {
    router: new Router(config.providers),
    pool,
    injectDelayMs: options.injectDelayMs ?? 0,
    draining: false,
  }
  const server = createServer(
    // Longer than the idle time of the balancers in front of it; slow senders are cut off.
    { noDelay: true, keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 120_000 },
    (request, response) => serve(context, warmUp, request, response),
  )
  const inFlight = trackInFlight(server)
  await listen(server, config)
  const { port } = server.address() as AddressInfo
  const warmedUp = warmUp.start()
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    port,
    poolStats: () => pool.stats(),
    warmedUp,
    close: async () => {
      warmUp.stop()
      context.draining = true
      const closed = new Promise((resolve) => server.close(resolve))
      await inFlight.settled(options.drainMs ?? DRAIN_MS)
      server.closeAllConnections()
      await closed
      await pool.close()
    },
  }
}

function serve(context: ExchangeContext, warmUp: WarmUp, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? ''
  const method = request.method ?? ''
  if (url.startsWith('/v1/')) {
    if (!METHODS.has(method)) {
      const error = invalidRequest('method_not_allowed', `${method} is not supported here`, 405)
      refuse(request, response, { ...error, headers: ['allow', [...METHODS].join(', ')] })
    } else if (climbs(url)) {
      refuse(request, response, invalidRequest('invalid_path', 'the path leaves /v1'))
    } else new Exchange(context, request, response, url.slice('/v1'.length)).start()
  } else if (url === '/healthz') sendJson(response, 200, { status: 'ok' })
  else if (url === '/readyz') {
    const reason = context.draining ? 'shutting down' : warmUp.missing
    sendJson(response, reason ? 503 : 200, reason ? { ready: false, reason } : { ready: true })
  } else refuse(request, response, invalidRequest('unknown_url', `nothing is served at ${method} ${url}`, 404))
}

/** Dot segments, plain or encoded, would be resolved by the upstream to something outside of its base path. */
function climbs(url: string): boolean {
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

function trackInFlight(server: Server): { settled(limitMs: number): Promise<void> } {
  let count = 0
  let onSettled: (() => void) | undefined
  server.on('request', (_request, response: ServerResponse) => {
    count++
    response.once('close', () => {
      count--
      if (count === 0) onSettled?.()
    })
  })
  return {
    settled: (limitMs) =>
      new Promise((resolve) => {
        if (count === 0) return resolve()
        const limit = setTimeout(resolve, limitMs)
        onSettled = () => {
          clearTimeout(limit)
          resolve()
        }
      }),
  }
}
