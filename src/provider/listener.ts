/**
 * Where connections come in: HTTP/1.1 alone, or with HTTP/2 on the same port. Without TLS the first bytes tell (an
 * HTTP/2 client that knows what it wants begins with `PRI`, RFC 9113 3.4); with TLS, ALPN does. The plain case is
 * node:http's own server with nothing in between.
 */
import type { Server } from 'node:http'
import { createServer as createHttp2, type Http2Session } from 'node:http2'
import { createServer as createSecure } from 'node:https'
import type { Socket } from 'node:net'
import { createServer } from '../system/node-http.ts'
import type { KeyPair } from './certificate.ts'
import type { HttpVersion } from './truth.ts'

export interface ListenerOptions {
  http2?: { maxConcurrentStreams: number }
  tls?: KeyPair
}

/** Of either protocol; node:http2's compatibility layer has node:http's shape. */
export type RequestListener = Parameters<typeof createHttp2>[1] & Parameters<typeof createServer>[1]

interface Listener {
  server: Server
  /** Tells every HTTP/2 client to open no more streams here (GOAWAY); those that are open end in peace. */
  goAway: () => void
  /** Stops listening, lets what is in flight end for up to `graceMs`, then closes every connection. */
  close: (graceMs: number) => Promise<void>
}

/**
 * Longer than any client keeps an idle connection, so that it is never the provider that closes one under a request.
 */
const KEEP_ALIVE_MS = 65_000
const SWEEP_EVERY_MS = 20
const PREFACE = 'PRI'

/** `opened` hears of every connection, once its protocol is known. */
export function createListener(
  options: ListenerOptions,
  listener: RequestListener,
  opened: (protocol: HttpVersion, socket: Socket) => void,
): Listener {
  const { http2, tls } = options
  const http = { keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }
  const protocols = { ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'] }
  const server: Server = tls ? createSecure({ ...http, ...tls, ...protocols }, listener) : createServer(http, listener)
  const ready = tls ? 'secureConnection' : 'connection'
  const sessions = new Set<Http2Session>()
  const sockets = new Set<Socket>()
  const unknown = new Set<Socket>()
  if (http2) {
    const server2 = createHttp2({ settings: { maxConcurrentStreams: http2.maxConcurrentStreams } }, listener)
    server2.on('session', (session) => {
      sessions.add(session)
      session.on('close', () => sessions.delete(session))
    })
    // A client that breaks the protocol loses its session; that is all there is to do.
    server2.on('sessionError', () => undefined)
    // The server's own handlers, which serve HTTP/1.1.
    const handlers = server.listeners(ready)
    server.removeAllListeners(ready)
    const serve1 = (socket: Socket): void => {
      opened('http1', socket)
      for (const handler of handlers) handler.call(server, socket)
    }
    const serve2 = (socket: Socket): void => {
      opened('http2', socket)
      server2.emit('connection', socket)
    }
    server.on(ready, (socket: Socket & { alpnProtocol?: string | false }) => {
      if (tls) (socket.alpnProtocol === 'h2' ? serve2 : serve1)(socket)
      else sniff(socket, unknown, serve1, serve2)
    })
  } else {
    server.on(ready, (socket: Socket) => opened('http1', socket))
  }
  if (tls || http2) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
  }
  const goAway = (): void => {
    for (const session of sessions) session.close()
  }
  return {
    server,
    goAway,
    close: (graceMs) => {
      goAway()
      // They have said nothing yet, and node:http does not know them.
      for (const socket of unknown) socket.destroy()
      return close(server, sockets, graceMs)
    },
  }
}

/** Looks at the first bytes of a connection, puts them back and hands it on. */
function sniff(
  socket: Socket,
  unknown: Set<Socket>,
  serve1: (socket: Socket) => void,
  serve2: (socket: Socket) => void,
): void {
  let seen = Buffer.alloc(0)
  const gone = (): void => {
    socket.destroy()
  }
  const forget = (): void => {
    unknown.delete(socket)
  }
  unknown.add(socket)
  const look = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk])
    const start = seen.toString('latin1', 0, PREFACE.length)
    if (start !== PREFACE && PREFACE.startsWith(start)) return
    socket.off('data', look).off('error', gone).off('close', forget)
    forget()
    socket.pause()
    socket.unshift(seen)
    if (start === PREFACE) {
      serve2(socket)
    } else {
      serve1(socket)
      socket.resume()
    }
  }
  socket.on('data', look).on('error', gone).on('close', forget)
}

async function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that falls idle after close() would be kept for its keep-alive time.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY_MS)
  const deadline = setTimeout(() => {
    server.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  }, graceMs)
  await closed
  clearInterval(sweep)
  clearTimeout(deadline)
}
