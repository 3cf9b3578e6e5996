/** Maps what undici, the sockets and kt's own deadlines throw to the stable classes of wire/outcome.ts. */
import type { Outcome } from '../wire/outcome.ts'

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

const BY_CODE: Record<string, Outcome> = {
  ENOTFOUND: 'KT_DNS',
  EAI_AGAIN: 'KT_DNS',
  EAI_FAIL: 'KT_DNS',
  ECONNREFUSED: 'KT_CONNECT',
  EHOSTUNREACH: 'KT_CONNECT',
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
  KT_NO_H2: 'KT_PROTOCOL',
  ERR_HTTP2_ERROR: 'KT_PROTOCOL',
}

const TLS = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/

/** The class of a failed request; `answering` when the answer had begun. */
export function classifyError(error: Error, answering: boolean): Outcome {
  if (isAbortedByClient(error)) return error.outcome
  const code = 'code' in error ? String(error.code) : ''
  const known = BY_CODE[code]
  if (known) return known
  if (TLS.test(code)) return 'KT_TLS'
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') return 'KT_PROTOCOL'
  return answering ? 'KT_TRUNCATED' : 'KT_RESET'
}
