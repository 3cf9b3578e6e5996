/**
 * Where clients connect: HTTP/1.1, or TLS with HTTP/2 and HTTP/1.1 by ALPN where the config names a certificate. What
 * comes over either goes the same way.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { createServer } from '../src/system/node-http.ts'
import { listenAt } from '../src/system/serve.ts'
import type { GatewayConfig } from './config/config.ts'
import { answerInvalidRequests, answerTunnels } from './http/bad-clients.ts'
import { asHttp1 } from './http/http2-request.ts'

/** Longer than the idle time of load balancers in front of the gateway, so that they close first. */
const IDLE_MS = 65_000
/** How often Node looks for connections that are over their header or request timeout. */
const CHECK_INTERVAL_MS = 500
const MAX_STREAMS = 256

export interface Listener {
  url: string
  port: number
  /** New connections get this certificate, if the listener speaks TLS. */
  setCertificate(tls: GatewayConfig['tls']): void
  /** Accepts no more connections; resolves when there are none left. */
  close(): Promise<unknown>
  /** Ends those that are left. */
  closeConnections(): void
}

/** Resolves when it listens; rejects with the system's error when it cannot. */
export async function listen(config: GatewayConfig, serve: RequestListener): Promise<Listener> {
  const { limits, tls } = config
  const options = {
    noDelay: true,
    keepAliveTimeout: IDLE_MS,
    headersTimeout: limits.headerTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  }
  const server = tls ? secureServer(options, tls, serve) : createServer(options, serve)
  const sockets = new Set<Socket>()
  if (tls) {
    server.on('secureConnection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
  }
  // The pipeline says whether the body is wanted.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    server.emit('request', request, response),
  )
  answerInvalidRequests(server)
  answerTunnels(server)
  const { port, authority } = await listenAt(server, config.port, config.host)
  return {
    url: `${tls ? 'https' : 'http'}://${authority}`,
    port,
    setCertificate: (next) => {
      if (next && 'setSecureContext' in server) server.setSecureContext(next)
    },
    close: () => new Promise((resolve) => server.close(resolve)),
    closeConnections: () => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function secureServer(
  options: object,
  tls: NonNullable<GatewayConfig['tls']>,
  serve: RequestListener,
): Server | Http2SecureServer {
  const settings = { maxConcurrentStreams: MAX_STREAMS }
  const server = createSecureServer({ ...options, ...tls, allowHTTP1: true, settings }, (request, response) =>
    serve(...asHttp1(request, response)),
  )
  server.on('session', closeIdle)
  return server
}

/** Node closes idle connections of HTTP/1.1 only. */
function closeIdle(session: ServerHttp2Session): void {
  let streams = 0
  session.on('error', () => {})
  session.on('stream', (stream) => {
    streams++
    stream.once('close', () => streams--)
  })
  session.setTimeout(IDLE_MS, () => {
    if (streams === 0) session.close()
  })
}
