/**
 * The way through an HTTP proxy to a server that speaks TLS: CONNECT (RFC 9110, 9.3.6). What a proxy says against it is
 * an error that names the proxy and its answer.
 */
import { connect, type Socket } from 'node:net'

export interface ProxyAddress {
  host: string
  port: number
  /** The value of `proxy-authorization`. */
  authorization?: string | undefined
}

const MOST_BYTES = 16_384

/** The proxy lets nobody through, or is not there. */
export class ProxyFault extends Error {
  readonly code = 'KT_PROXY'

  constructor({ host, port }: ProxyAddress, what: string) {
    super(`the proxy ${host}:${port} ${what}`)
  }
}

/** `host:port`, as a URL spells it. */
export function authorityOf({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/**
 * The socket is returned at once, so that it can be ended. `done` is called once: with an error, that of the system or
 * a ProxyFault, after which the socket is of no more use; or when the server stands behind the socket.
 */
export function openTunnel(
  proxy: ProxyAddress,
  to: { host: string; port: number },
  done: (error: Error | undefined) => void,
): Socket {
  const socket = connect({ host: proxy.host, port: proxy.port })
  let head = Buffer.alloc(0)
  const end = (error?: Error): void => {
    socket.off('data', read).off('error', end).off('close', closed)
    if (error) socket.on('error', () => {}).destroy()
    done(error)
  }
  const closed = (): void => end(new ProxyFault(proxy, 'closed the connection before it answered CONNECT'))
  const read = (bytes: Buffer): void => {
    head = Buffer.concat([head, bytes])
    const length = head.indexOf('\r\n\r\n')
    if (length < 0) {
      if (head.length > MOST_BYTES) end(new ProxyFault(proxy, 'answered CONNECT with something that is no HTTP'))
      return
    }
    const [line = ''] = head.toString('latin1', 0, length).split('\r\n')
    const [, status, words = ''] = /^HTTP\/1\.[01] (\d{3}) ?([\x20-\x7e]*)$/.exec(line) ?? []
    if (status === undefined) end(new ProxyFault(proxy, 'answered CONNECT with something that is no HTTP'))
    else if (!status.startsWith('2')) end(new ProxyFault(proxy, `answered CONNECT with ${`${status} ${words}`.trim()}`))
    else {
      socket.pause()
      const rest = head.subarray(length + 4)
      if (rest.length > 0) socket.unshift(rest)
      end()
    }
  }
  socket.once('connect', () => {
    const authority = authorityOf(to)
    const own = proxy.authorization === undefined ? '' : `proxy-authorization: ${proxy.authorization}\r\n`
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${own}\r\n`, 'latin1')
  })
  socket.setNoDelay(true).on('data', read).on('error', end).on('close', closed)
  return socket
}
