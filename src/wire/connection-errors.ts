/**
 * What the system, TLS and HTTP/2 throw, as a sentence for whoever reads a report. What stands in no list keeps its own
 * words: they are better than none.
 */

const NO_TLS = 'what came in answer to TLS is no TLS'
const NO_COMMON_VERSION = 'no version of TLS is known to both sides'
const HANDSHAKE_FAILURE = 'TLS has nothing in common, or a client certificate is demanded'
const UNKNOWN_AUTHORITY = 'the authority of its certificate is not trusted, or the target does not send it'

/** By the code of the error. `{at}` is the address, `{host}` the name, as far as the error has them. */
const BY_CODE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no name server knows {host}',
  EAI_AGAIN: 'no name server answered',
  EAI_FAIL: 'the name server failed',
  ECONNREFUSED: 'nothing listens at {at}',
  ENOENT: 'no file is at {at}',
  EACCES: 'the permissions of {at} forbid it',
  ENOTSOCK: '{at} is no socket',
  EHOSTUNREACH: 'no way leads to {at}',
  ENETUNREACH: 'no way leads to the network of {at}',
  EADDRNOTAVAIL: 'this machine has no local port left',
  EMFILE: 'this process may open no more files',
  ENFILE: 'this machine may open no more files',
  ENOBUFS: 'this machine has no network buffers left',
  ENOMEM: 'this machine has no memory left',
  ETIMEDOUT: '{at} did not answer',
  ECONNRESET: 'the other side reset the connection',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'the other side had closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'no connection was made in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer came in time',
  UND_ERR_BODY_TIMEOUT: 'the rest of the answer did not come in time',
  UND_ERR_SOCKET: 'the other side closed the connection',
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: NO_COMMON_VERSION,
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the target does not speak this version of HTTP over TLS',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'the target has no certificate for this name',
  ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR: 'the target reports an internal error in the handshake',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the target does not trust the certificate that it was shown',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the target demands a client certificate',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: HANDSHAKE_FAILURE,
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': HANDSHAKE_FAILURE,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names than {host}',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'the chain of its certificate ends in one that is self-signed, and not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_HTTP2_ERROR: 'what came is no HTTP/2',
  ERR_HTTP2_GOAWAY_SESSION: 'the target retired the connection',
  ERR_HTTP2_INVALID_SESSION: 'the connection of HTTP/2 was over',
  ERR_HTTP2_STREAM_CANCEL: 'the stream was cancelled',
}

export function plainReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, reason, address, port, hostname, host } = error as Error & Record<string, unknown>
  // Both families of addresses were tried: the first is as good as the others.
  if (error instanceof AggregateError && error.errors.length > 0) return plainReason(error.errors[0])
  if (/before secure TLS connection/.test(error.message)) return 'the connection was closed during the handshake of TLS'
  if (error.message.includes('"GOAWAY" frame')) return 'the target retired the connection'
  const [, reset] = /error code NGHTTP2_(\w+)/.exec(error.message) ?? []
  if (reset !== undefined) return `the target reset the stream: ${reset.toLowerCase().replaceAll('_', ' ')}`
  const known = BY_CODE[String(code)]
  if (known !== undefined) {
    const at = address === undefined ? 'that address' : [address, port].filter((part) => part !== undefined).join(':')
    return known.replace('{at}', at).replace('{host}', String(hostname ?? host ?? 'this name'))
  }
  // OpenSSL's message is an address in its sources; its reason is words.
  return typeof reason === 'string' && /^ERR_O?SSL/.test(String(code)) ? reason : error.message
}
