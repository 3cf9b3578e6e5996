/** Whether the other side has closed a connection, or the connection is dead: reset, or without an answer. */

export function whoClosed(error: Error): 'upstream' | 'error' {
  return 'code' in error && error.code === 'KT_CLOSED' ? 'upstream' : 'error'
}
