/** From what undici, the sockets and kt's own deadlines throw to the stable classes of outcome.ts. */

import { gunzipSync } from 'node:zlib'
import type { Outcome } from '../wire/outcome.ts'

/** The bytes of an answer that are kept to be read whole at its end: bounded, and nothing is copied where it came in one piece. */

const MAX_KEPT_BYTES = 64 * 1024 * 1024

const NOTHING = Buffer.alloc(0)

export class BufferedBody {
  #first: Buffer | undefined
  #more: Buffer[] = []
  #bytes = 0

  clear(): void {
    if (this.#first === undefined) return
    this.#first = undefined
    if (this.#more.length > 0) this.#more = []
    this.#bytes = 0
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > MAX_KEPT_BYTES) return
    if (this.#first === undefined) this.#first = chunk
    else this.#more.push(chunk)
  }

  /** All of it, unpacked when `gzip`; nothing when it cannot be. */
  whole(gzip: boolean): Buffer {
    if (!this.#first) return NOTHING
    const whole = this.#more.length === 0 ? this.#first : Buffer.concat([this.#first, ...this.#more])
    try {
      return gzip ? gunzipSync(whole) : whole
    } catch {
      return NOTHING
    }
  }
}

/** kt itself gave the request up: at its deadline, or because the run was over. */
export class AbortedByClient extends Error {
  override readonly name = 'GivenUp'
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
  // Not the target's failure but this machine's: no ports, no file descriptors, no buffers left.
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

/** The class of a failed exchange; `answering` when the answer had begun. */
export function classifyError(error: Error, answering: boolean): Outcome {
  if (isAbortedByClient(error)) return error.outcome
  const code = 'code' in error ? String(error.code) : ''
  const known = BY_CODE[code]
  if (known) return known
  if (TLS.test(code)) return 'KT_TLS'
  if (code.startsWith('HPE_') || error.name === 'HTTPParserError') return 'KT_PROTOCOL'
  return answering ? 'KT_TRUNCATED' : 'KT_RESET'
}
