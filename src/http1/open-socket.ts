/** Opens a socket for HTTP/1.1, in the clear or over TLS. Reads go past the stream, into a buffer of the caller. */
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** Where to, and whom to trust. */
export interface SocketTarget {
  tls: boolean
  host: string
  port: number
  /** Whom the certificate must name; '' where that has no name but an address. */
  serverName: string
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string | undefined
  /** Accepts any certificate. */
  insecure: boolean
  /** The client's own certificate and its key, PEM. */
  cert?: string | undefined
  key?: string | undefined
  /** A unix socket in place of host and port. */
  path?: string | undefined
  /** A way to the server that stands already. Over it `onread` hears nothing: read the stream. */
  tunnel?: Socket | undefined
  /** Of an earlier connection to the same server. */
  session: Buffer | undefined
}

/** Where an address leads; the certificate must name `host`, which a header may give. */
export function addressOf({ protocol, hostname, port }: URL, host: string): Omit<SocketTarget, 'insecure' | 'session'> {
  const tls = protocol === 'https:'
  return {
    tls,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (tls ? 443 : 80),
    serverName: serverNameOf(host),
  }
}

export function openSocket(
  { tls, host, port, path, tunnel, serverName, session, ca, insecure, cert, key }: SocketTarget,
  onread: OnReadOpts,
): Socket {
  const at = path === undefined ? { host, port } : { path }
  if (!tls) return connectTcp({ ...at, onread })
  // Node's types do not know that `onread` is for TLS too.
  const options: ConnectionOptions & { onread: OnReadOpts } = {
    ...at,
    ...(tunnel ? { socket: tunnel } : {}),
    servername: serverName,
    ALPNProtocols: ['http/1.1'],
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ca,
    cert,
    key,
    session,
    onread,
  }
  return connectTls(options)
}

/** The host without its port. */
function serverNameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (host.split(':')[0] ?? '')
  return isIP(name) === 0 ? name : ''
}
