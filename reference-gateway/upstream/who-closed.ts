/** Whether the other side has closed a connection, or the connection is dead: reset, or without an answer. */

/** undici's error, and the gateway's own over HTTP/2, where the other side has ended the connection in order. */
const CLOSED_IN_ORDER = 'UND_ERR_SOCKET'

export function whoClosed(error: Error): 'upstream' | 'error' {
  return 'code' in error && error.code === CLOSED_IN_ORDER ? 'upstream' : 'error'
}
