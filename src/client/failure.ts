/**
 * Maps what connections, sockets, undici (over HTTP/2) and kt's own deadlines throw to the stable classes of
 * wire/outcome.ts. What is in none of the lists is KT_OTHER, which says that it is the rest.
 */

import { BadAnswer } from '../http1/faults.ts'
import { type ProxyAddress, ProxyFault } from '../http1/tunnel.ts'
import { formatDuration } from '../units.ts'
import { plainReason } from '../wire/connection-errors.ts'
import { classifyStatus, type Outcome } from '../wire/outcome.ts'

/** kt itself aborted the request: at a deadline, or because the run was over. */
export class AbortedByClient extends Error {
  override readonly name = 'AbortedByClient'
  readonly outcome: Outcome

  constructor(outcome: Outcome, message: string) {
    super(message)
    this.outcome = outcome
  }
}

export function isAbortedByClient(error: unknown): error is AbortedByClient {
  return error instanceof AbortedByClient
}

/** No agreement on HTTP/2 by ALPN. */
export class NoHttp2 extends Error {
  readonly code = 'KT_NO_HTTP2'
  override readonly message = 'the target does not speak HTTP/2 (no agreement on h2 by ALPN)'
}

/** Why no connection was made through a proxy. */
export function asProxyFault(proxy: ProxyAddress, error: Error): ProxyFault {
  return error instanceof ProxyFault ? error : new ProxyFault(proxy, `cannot be reached: ${plainReason(error)}`)
}

const BY_CODE: Record<string, Outcome> = {
  ENOTFOUND: 'KT_DNS',
  EAI_AGAIN: 'KT_DNS',
  EAI_FAIL: 'KT_DNS',
  ECONNREFUSED: 'KT_CONNECT',
  EHOSTUNREACH: 'KT_CONNECT',
  // Of a unix socket.
  ENOENT: 'KT_CONNECT',
  EACCES: 'KT_CONNECT',
  ENOTSOCK: 'KT_CONNECT',
  ENETUNREACH: 'KT_CONNECT',
  // The fault of this machine, not of the target: no ports, no file descriptors or no buffers left.
  EADDRNOTAVAIL: 'KT_RESOURCES',
  EMFILE: 'KT_RESOURCES',
  ENFILE: 'KT_RESOURCES',
  ENOBUFS: 'KT_RESOURCES',
  ENOMEM: 'KT_RESOURCES',
  ETIMEDOUT: 'KT_TIMEOUT_CONNECT',
  UND_ERR_CONNECT_TIMEOUT: 'KT_TIMEOUT_CONNECT',
  EPROTO: 'KT_TLS',
  // What came in answer to a handshake is no TLS.
  ERR_SSL_WRONG_VERSION_NUMBER: 'KT_NO_TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'KT_NO_TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'KT_CLIENT_CERT',
  KT_BAD_ANSWER: 'KT_PROTOCOL',
  KT_NO_HTTP2: 'KT_NO_HTTP2',
  KT_PROXY: 'KT_PROXY',
  ERR_HTTP2_ERROR: 'KT_PROTOCOL',
}

const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/
/** Node's words for a connection that was closed during the handshake; it has no code of its own. */
const CLOSED_IN_HANDSHAKE = /before secure TLS connection/
/** A connection, or a stream of HTTP/2, that the other side has closed. */
const CLOSED = new Set([
  'KT_CLOSED',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'UND_ERR_SOCKET',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_INVALID_STREAM',
  'ERR_HTTP2_GOAWAY_SESSION',
])
/** The beginning of an alert, in which a TLS server tells that it does not understand HTTP. */
const TLS_ALERT = '\x15\x03'

/** The class of a failed request; `answering` when the answer had begun. */
export function classifyError(error: Error, answering: boolean): Outcome {
  if (isAbortedByClient(error)) return error.outcome
  const code = codeOf(error)
  if (error instanceof BadAnswer && startsWithAlert(error)) return 'KT_ONLY_TLS'
  const known = BY_CODE[code]
  if (known) return known
  if (TLS.test(code) || CLOSED_IN_HANDSHAKE.test(error.message)) return 'KT_TLS'
  if (!CLOSED.has(code)) return 'KT_OTHER'
  return answering ? 'KT_TRUNCATED' : 'KT_RESET'
}

/** The target has retired a connection of HTTP/2, and says that it has not looked at this request. */
export function isRefusedByGoAway(error: Error): boolean {
  return error.message.includes('"GOAWAY" frame received with code 0')
}

export function isTlsError(error: Error): boolean {
  return TLS.test(codeOf(error))
}

/** What HTTPS servers answer to plain HTTP, in the words of nginx, Go and Apache. */
const SPEAK_TLS =
  /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|plain HTTP to an SSL-enabled/i
/** What nginx answers to a client without a certificate: it refuses after the handshake. */
const CERTIFICATE_WANTED = /No required SSL certificate was sent/i

/** The class of an answer whose status is not 2xx, and whose body says `text`. */
export function classifyRefusal(status: number, text: string): Outcome {
  if (status === 400 && SPEAK_TLS.test(text)) return 'KT_ONLY_TLS'
  return status === 400 && CERTIFICATE_WANTED.test(text) ? 'KT_CLIENT_CERT' : classifyStatus(status)
}

/** Under load a connection is never idle for as long. */
const IDLE_FROM_US = 100_000
/** A round trip takes no longer on this machine, however busy. */
const LEAST_ROUND_TRIP_US = 20_000

/** A connection that was closed before an answer; times in microseconds. */
interface ClosedConnection {
  /** From its last answer to the request. */
  idleUs: number
  /** From the request to its end. */
  closedAfterUs: number
  /** How long it took to open, in which a round trip or more went by. */
  openingUs: number
}

/**
 * What shows that a target closed an idle connection at the moment when a request was sent on it: the connection had
 * been idle, and its end came before an answer could have come. Undefined where load, or the request, may be the cause.
 */
export function explainIdleClose({ idleUs, closedAfterUs, openingUs }: ClosedConnection): string | undefined {
  if (idleUs < IDLE_FROM_US || closedAfterUs > Math.max(LEAST_ROUND_TRIP_US, openingUs)) return undefined
  const [closed, idle] = [closedAfterUs, idleUs].map((us) => formatDuration(us / 1_000))
  return `closed ${closed} after the request was sent, idle for ${idle} before`
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

function startsWithAlert({ data }: BadAnswer): boolean {
  return data?.toString('latin1').startsWith(TLS_ALERT) === true
}
